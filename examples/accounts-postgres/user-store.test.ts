import { after, describe, it } from 'node:test';
import { describeUserStore } from 'express-otp-auth/testing';
import { Pool } from 'pg';
import { PEOPLE, peopleStore } from './user-store.js';

// A database for tests, whose table `people` may be emptied.
const pool = new Pool({ connectionString: process.env['TEST_DATABASE_URL'] });
await pool.query(PEOPLE);
after(() => pool.end());

describeUserStore(
  'peopleStore',
  async () => {
    await pool.query('DELETE FROM people');
    return peopleStore(pool);
  },
  { describe, it },
);
