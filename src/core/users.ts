import { type Identifier, kindOf } from './identifier.js';
import type { Requester } from './requester.js';

/** Who signs in, as tokens describe them. */
export interface User {
  id: string;
  email?: string | undefined;
  phoneNumber?: string | undefined;
  /** Where there is a user store. */
  fullName?: string | undefined;
  roles: readonly string[];
}

/** Where users come from. */
export interface Users {
  /** The user who just proved to hold this identifier; `undefined` where they may not sign in. */
  signIn(identifier: Identifier, requester?: Requester): Promise<User | undefined>;
  /** Whether whoever proved to hold this identifier could sign in. */
  knows(identifier: Identifier): Promise<boolean>;
  /** The user of a running session; `undefined` where there is none any more, or none that may sign in. */
  find(id: string): Promise<User | undefined>;
}

/** Without accounts, whoever holds an identifier is its user, and the identifier is the id. */
export const identifiersAsUsers: Users = {
  signIn: async ({ value }) => userOf(value),
  knows: async () => true,
  find: async (id) => userOf(id),
};

function userOf(value: string): User {
  return { id: value, [kindOf(value) === 'email' ? 'email' : 'phoneNumber']: value, roles: [] };
}
