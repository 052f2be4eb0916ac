import type { Deadline } from '../deadline.js';
import { type Identifier, isHeldBy } from '../identifier.js';
import type { NewUser, UserChanges, UserQuery, UserRecord, UserStore } from './user-store.js';

/** A user as the package goes on with it: what is not there is `undefined`, and nothing is `null`. */
export interface StoredUser extends UserRecord {
  email: string | undefined;
  phoneNumber: string | undefined;
  fullName: string | undefined;
  totp: string | undefined;
}

/** A user store whose answers are what they should be, and come in time; else it rejects with `store_unavailable`. */
export interface CheckedUserStore extends UserStore {
  findById(id: string): Promise<StoredUser | undefined>;
  findByIdentifier(identifier: Identifier): Promise<StoredUser | undefined>;
  create(user: NewUser): Promise<StoredUser | 'taken'>;
  update(id: string, changes: UserChanges): Promise<StoredUser | 'taken' | undefined>;
  list(query: UserQuery): Promise<{ users: readonly StoredUser[]; count: number }>;
}

/** The store may be anybody's: an answer that is not as it should be must not become a token. */
export function checkedUserStore(store: UserStore, bounded: Deadline): CheckedUserStore {
  const ask = <Answer, Result>(question: () => Promise<Answer>, read: (answer: Answer) => Result): Promise<Result> =>
    bounded(async () => {
      try {
        return read(await question());
      } catch (error) {
        throw withoutAddresses(error);
      }
    });

  return {
    findById: (id) =>
      ask(
        () => store.findById(id),
        (user) => (user?.id === id ? readUser(user) : undefined),
      ),
    findByIdentifier: (identifier) =>
      ask(
        () => store.findByIdentifier(identifier),
        // A database that compares without regard to case finds more than was asked for.
        (user) => (user != null && isHeldBy(user, identifier) ? readUser(user) : undefined),
      ),
    create: (user) =>
      ask(
        () => store.create(user),
        (created) => (created === 'taken' ? created : readUser(created)),
      ),
    update: (id, changes) =>
      ask(
        () => store.update(id, changes),
        (user) => (user == null ? undefined : user === 'taken' ? user : readUser(user)),
      ),
    delete: (id) =>
      ask(
        () => store.delete(id),
        (deleted) => deleted === true,
      ),
    list: (query) =>
      ask(
        () => store.list(query),
        ({ users, count }) => ({ users: users.map(readUser), count: Number(count) }),
      ),
  };
}

function readUser(user: UserRecord): StoredUser {
  const { id, email, phoneNumber, fullName, roles, disabled, createdAt, totp } = user;
  if (typeof id !== 'string' || id === '') throw new TypeError("a user's id must be text, and not empty");
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string'))
    throw new TypeError("a user's roles must be a list of text");
  if (typeof disabled !== 'boolean') throw new TypeError("a user's disabled must be true or false");
  if (!(createdAt instanceof Date) || Number.isNaN(createdAt.getTime()))
    throw new TypeError("a user's createdAt must be a Date");
  return {
    id,
    email: textOf(email),
    phoneNumber: textOf(phoneNumber),
    fullName: textOf(fullName),
    roles: [...(roles as string[])],
    disabled,
    createdAt,
    totp: textOf(totp),
  };
}

const ADDRESSES = /[^\s'"`(),;:<>=]+@[^\s'"`(),;:<>=]+|\+?[0-9]{7,}/g;

/** The error as it may be logged: databases quote the rows that they choke on. */
function withoutAddresses(error: unknown): Error {
  const { message, code, address, port } = (error ?? {}) as Partial<NodeJS.ErrnoException> & {
    address?: string;
    port?: number;
  };
  const known = Object.entries({ code, address, port }).filter(([, value]) => value !== undefined);
  return Object.assign(new Error(String(message ?? error).replace(ADDRESSES, '[…]')), Object.fromEntries(known));
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
