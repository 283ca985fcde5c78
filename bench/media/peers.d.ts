// The little that the benchmark uses of a package that is installed for it alone, so that the types can be checked without it.
// Written from its documentation.

declare module "age-encryption" {
  export function generateIdentity(): Promise<string>;
  export function identityToRecipient(identity: string): Promise<string>;
  export class Encrypter {
    addRecipient(recipient: string): void;
    encrypt(file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  }
  export class Decrypter {
    addIdentity(identity: string): void;
    decrypt(file: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  }
}
