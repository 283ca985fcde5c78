// The stores that the official library asks for, in memory. Records lie there as bytes, as they would in a database, so
// that every call reads and writes the serialised form. Every identity is trusted: trust is not what is tested here.

import type {
  IdentityChange,
  IdentityKeyStore,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyRecord,
  PreKeyStore,
  PrivateKey,
  PublicKey,
  SenderKeyRecord,
  SenderKeyStore,
  SessionRecord,
  SessionStore,
  SignedPreKeyRecord,
  SignedPreKeyStore,
} from "libsignal-0103";
import { type Bytes, sameBytes, toHex } from "../../wire/index.ts";
import type { Library, ProtocolAddress } from "./library.ts";

export interface Stores {
  readonly sessions: SessionStore;
  readonly identities: IdentityKeyStore;
  readonly preKeys: PreKeyStore;
  readonly signedPreKeys: SignedPreKeyStore;
  readonly kyberPreKeys: KyberPreKeyStore;
  readonly senderKeys: SenderKeyStore;
}

/** The KEM prekey that stays; every other one is used once. */
export const LAST_RESORT_ID = 1;

/** The stores of one device. Their classes are the library's, and each version has its own. */
export function openStores(library: Library, identity: PrivateKey, registrationId: number): Stores {
  return {
    sessions: sessionStore(library),
    identities: identityStore(library, identity, registrationId),
    preKeys: preKeyStore(library),
    signedPreKeys: signedPreKeyStore(library),
    kyberPreKeys: kyberPreKeyStore(library),
    senderKeys: senderKeyStore(library),
  };
}

function nameOf(address: ProtocolAddress): string {
  return `${address.name()}.${address.deviceId()}`;
}

function sessionStore({ api }: Library): SessionStore {
  const records = new Map<string, Bytes>();
  class Sessions extends api.SessionStore {
    override async saveSession(address: ProtocolAddress, record: SessionRecord): Promise<void> {
      records.set(nameOf(address), record.serialize());
    }
    override async getSession(address: ProtocolAddress): Promise<SessionRecord | null> {
      const bytes = records.get(nameOf(address));
      return bytes === undefined ? null : api.SessionRecord.deserialize(bytes);
    }
    override async getExistingSessions(addresses: ProtocolAddress[]): Promise<SessionRecord[]> {
      return addresses.map((address) => api.SessionRecord.deserialize(present(records.get(nameOf(address)), "session")));
    }
  }
  return new Sessions();
}

function identityStore({ api }: Library, identity: PrivateKey, registrationId: number): IdentityKeyStore {
  const keys = new Map<string, Bytes>();
  class Identities extends api.IdentityKeyStore {
    override async getIdentityKey(): Promise<PrivateKey> {
      return identity;
    }
    override async getLocalRegistrationId(): Promise<number> {
      return registrationId;
    }
    override async saveIdentity(address: ProtocolAddress, key: PublicKey): Promise<IdentityChange> {
      const name = nameOf(address);
      const before = keys.get(name);
      const now = key.serialize();
      keys.set(name, now);
      const changed = before !== undefined && !sameBytes(before, now);
      return changed ? api.IdentityChange.ReplacedExisting : api.IdentityChange.NewOrUnchanged;
    }
    override async isTrustedIdentity(): Promise<boolean> {
      return true;
    }
    override async getIdentity(address: ProtocolAddress): Promise<PublicKey | null> {
      const key = keys.get(nameOf(address));
      return key === undefined ? null : api.PublicKey.deserialize(key);
    }
  }
  return new Identities();
}

function preKeyStore({ api }: Library): PreKeyStore {
  const records = new Map<number, Bytes>();
  class PreKeys extends api.PreKeyStore {
    override async savePreKey(id: number, record: PreKeyRecord): Promise<void> {
      records.set(id, record.serialize());
    }
    override async getPreKey(id: number): Promise<PreKeyRecord> {
      return api.PreKeyRecord.deserialize(present(records.get(id), "one-time prekey"));
    }
    override async removePreKey(id: number): Promise<void> {
      records.delete(id);
    }
  }
  return new PreKeys();
}

function signedPreKeyStore({ api }: Library): SignedPreKeyStore {
  const records = new Map<number, Bytes>();
  class SignedPreKeys extends api.SignedPreKeyStore {
    override async saveSignedPreKey(id: number, record: SignedPreKeyRecord): Promise<void> {
      records.set(id, record.serialize());
    }
    override async getSignedPreKey(id: number): Promise<SignedPreKeyRecord> {
      return api.SignedPreKeyRecord.deserialize(present(records.get(id), "signed prekey"));
    }
  }
  return new SignedPreKeys();
}

function kyberPreKeyStore({ api }: Library): KyberPreKeyStore {
  const records = new Map<number, Bytes>();
  const uses = new Set<string>();
  class KyberPreKeys extends api.KyberPreKeyStore {
    override async saveKyberPreKey(id: number, record: KyberPreKeyRecord): Promise<void> {
      records.set(id, record.serialize());
    }
    override async getKyberPreKey(id: number): Promise<KyberPreKeyRecord> {
      return api.KyberPreKeyRecord.deserialize(present(records.get(id), "KEM prekey"));
    }
    // The oldest version names the key only.
    override async markKyberPreKeyUsed(id: number, signedId?: number, baseKey?: PublicKey): Promise<void> {
      if (id !== LAST_RESORT_ID) {
        records.delete(id);
        return;
      }
      if (signedId === undefined || baseKey === undefined) return;
      const use = `${signedId}/${toHex(baseKey.serialize())}`;
      if (uses.has(use)) throw new Error("the last-resort key was used before with this base key");
      uses.add(use);
    }
  }
  return new KyberPreKeys();
}

function senderKeyStore({ api }: Library): SenderKeyStore {
  const records = new Map<string, Bytes>();
  class SenderKeys extends api.SenderKeyStore {
    override async saveSenderKey(sender: ProtocolAddress, distributionId: string, record: SenderKeyRecord): Promise<void> {
      records.set(`${nameOf(sender)}/${distributionId}`, record.serialize());
    }
    override async getSenderKey(sender: ProtocolAddress, distributionId: string): Promise<SenderKeyRecord | null> {
      const bytes = records.get(`${nameOf(sender)}/${distributionId}`);
      return bytes === undefined ? null : api.SenderKeyRecord.deserialize(bytes);
    }
  }
  return new SenderKeys();
}

function present(bytes: Bytes | undefined, what: string): Bytes {
  if (bytes === undefined) throw new Error(`no such ${what}`);
  return bytes;
}
