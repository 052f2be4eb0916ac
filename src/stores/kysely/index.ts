/** `express-otp-auth/kysely`: users in SQL. Needs the package kysely, and the driver of the database. */
export { kyselyUserStore } from './kysely-user-store.js';
export { type UsersTable, usersMigration } from './users-table.js';
