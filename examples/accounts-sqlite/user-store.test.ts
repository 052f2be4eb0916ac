import { describe, it } from 'node:test';
import { describeUserStore } from 'express-otp-auth/testing';
import Database from 'libsql';
import { PEOPLE, peopleStore } from './user-store.js';

const db = new Database(':memory:');
db.exec(PEOPLE);

describeUserStore(
  'peopleStore',
  () => {
    db.exec('DELETE FROM people');
    return peopleStore(db);
  },
  { describe, it },
);
