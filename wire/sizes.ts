// Lengths that the Signal wire fixes. Not limits: nothing may be longer or shorter.

/** A public key with its type byte: 0x05 and the X25519 u-coordinate. */
export const PUBLIC_KEY_BYTES: number = 33;
/** A KEM key or ciphertext of type 0x08 (Kyber1024, round 3) with its type byte. */
export const KYBER_CIPHERTEXT_BYTES: number = 1569;
export const SIGNATURE_BYTES: number = 64;
export const SIGNAL_MAC_BYTES: number = 8;
