import type { Identifier } from '../identifier.js';

/**
 * A user as a store keeps one. A member that is not there may be `null` as well, so that a table's rows can be
 * returned as they come.
 */
export interface UserRecord {
  /** Chosen by the store, and never given to another user. A number of the table's own goes as text. */
  id: string;
  /** Canonical, as the package handed it over: lower case, one plain address. */
  email?: string | null | undefined;
  /** E.164. */
  phoneNumber?: string | null | undefined;
  fullName?: string | null | undefined;
  roles: readonly string[];
  /** Whoever is disabled cannot sign in, and is not told so. */
  disabled: boolean;
  createdAt: Date;
  /** State of the second factor, encrypted: to be kept as it is. 2 kB at most. */
  totp?: string | null | undefined;
}

/** What a user is made of; the store adds the id. */
export type NewUser = Omit<UserRecord, 'id'>;

/** What changes: `null` removes a member, and what is absent or `undefined` stays as it is. */
export type UserChanges = { [Member in keyof Omit<UserRecord, 'id' | 'createdAt'>]?: UserRecord[Member] | undefined };

/** A page of users, oldest first; those made at the same time by their ids. */
export interface UserQuery {
  skip: number;
  /** 1 at least. */
  limit: number;
  /** Only users whose e-mail address, phone number or full name has this in it; at least `a` to `z` in whatever case. */
  query?: string | undefined;
  /** Only users who have this role. */
  role?: string | undefined;
}

/**
 * Where users are kept. `describeUserStore` in `/testing` checks an implementation.
 *
 * No two users have the same e-mail address, and no two the same phone number: the store sees to that in the same
 * step as the change, by a unique index for example, because two sign-ups may come at once. Each function is bounded
 * in time by the option `storeTimeoutMs`; whatever it rejects with is logged, and answered with 503.
 */
export interface UserStore {
  /** `undefined` (or `null`) where there is none; also for an id that no user could have. */
  findById(id: string): Promise<UserRecord | null | undefined>;
  findByIdentifier(identifier: Identifier): Promise<UserRecord | null | undefined>;
  /** `'taken'`: another user has the e-mail address or the phone number, and nothing was created. */
  create(user: NewUser): Promise<UserRecord | 'taken'>;
  /** `'taken'`: as above, and nothing was changed. `undefined` (or `null`): there is no such user. */
  update(id: string, changes: UserChanges): Promise<UserRecord | 'taken' | null | undefined>;
  /** `false`: there was no such user. */
  delete(id: string): Promise<boolean>;
  /** `count`: how many users there are on all pages together. */
  list(query: UserQuery): Promise<{ users: readonly UserRecord[]; count: number }>;
}

/** Whether a user is one that a query asks for: for stores that cannot have a database find out. */
export function matchesQuery({ email, phoneNumber, fullName }: UserRecord, query: string): boolean {
  const text = query.toLowerCase();
  return text === '' || [email, phoneNumber, fullName?.toLowerCase()].some((part) => part?.includes(text));
}
