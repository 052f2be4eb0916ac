import express from 'express';
import { BOSS, startAccounts } from '../support/accounts.js';
import { startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';

/** It has a `length`, as texts and lists do, and to compare that with a number throws. */
const HOSTILE = { length: { toString: 0, valueOf: 0 } };

interface Body {
  $ref?: string;
  properties?: Record<string, unknown>;
  anyOf?: Body[];
  oneOf?: Body[];
  allOf?: Body[];
}

describe('a member of a body that throws when it is looked at', () => {
  it('is refused by every endpoint that takes a body, whichever member it is', async () => {
    const app = await startAccounts({
      users: { store: 'memory', firstAdmin: BOSS },
      totp: 'optional',
      sms: { send: () => {}, allowedCountries: ['DE'] },
    });
    const admin = await app.signedIn(BOSS, { roles: ['admin'] });
    const document = app.auth.openapi() as unknown as {
      paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Body }> } }>>;
      components: { schemas: Record<string, Body> };
    };
    const membersOf = ({ $ref, properties = {}, anyOf = [], oneOf = [], allOf = [] }: Body): string[] => [
      ...Object.keys(properties),
      ...($ref === undefined ? [] : membersOf(document.components.schemas[$ref.split('/').at(-1) as string] ?? {})),
      ...[...anyOf, ...oneOf, ...allOf].flatMap(membersOf),
    ];

    const tried: string[] = [];
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { requestBody }] of Object.entries(operations)) {
        const schema = requestBody?.content['application/json']?.schema;
        for (const member of new Set(schema === undefined ? [] : membersOf(schema))) {
          const body = { email: 'jo@example.com', otp: '123456', code: '123456', mfa_token: 'x', [member]: HOSTILE };
          const answer = await app.as(admin, method.toUpperCase(), path.replace('{id}', admin.id), body);
          tried.push(`${path} ${member}: ${answer.status} ${answer.body.code ?? ''}`);
        }
      }
    }
    expect(tried.length).toBeGreaterThan(20);
    // /totp/… of somebody who has no app yet may say that first; nothing is accepted, and nothing breaks.
    expect(tried.filter((line) => !/ 4\d\d \w+$/.test(line))).toEqual([]);
  });

  it.each(['/token', '/revoke'])('is refused at %s, where the application reads nested forms', async (path) => {
    const app = await startAuthApp({}, undefined, {
      prepare: (outer) => outer.use(express.urlencoded({ extended: true })),
    });
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    for (const member of ['grant_type', 'refresh_token', 'token', 'username', 'password']) {
      const rest = member === 'grant_type' ? '' : '&grant_type=refresh_token';
      const body = `${member}[length][toString]=0&${member}[length][valueOf]=0${rest}`;
      const answer = await call(`${app.url}/auth${path}`, { body, headers });
      expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
    }
  });

  it('is refused in a query, where the application reads nested ones', async () => {
    const app = await startAccounts({ users: { store: 'memory', firstAdmin: BOSS } });
    app.app.set('query parser', 'extended');
    const admin = await app.signedIn(BOSS, { roles: ['admin'] });
    for (const member of ['skip', 'limit', 'query']) {
      const { status } = await app.as(
        admin,
        'GET',
        `/users?${member}[length][toString]=0&${member}[length][valueOf]=0`,
      );
      expect(status).toBe(400);
    }
  });
});
