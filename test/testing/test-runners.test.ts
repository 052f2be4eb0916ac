import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

/** An application's own tests, as they look under every runner. */
const OWN_TESTS = `
test('an application of one route', async () => {
  const { auth, clock, outbox, signIn } = createTestAuth();
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => res.json(req.user.id));
  const { authorization } = await signIn('ann@example.com');
  await request(app).get('/me').set('Authorization', authorization).expect(200, '"ann@example.com"');
  await request(app).post('/auth/request-otp').send({ email: 'bob@example.com' }).expect(200);
  assert.match(outbox.lastCode('bob@example.com'), /^[0-9]{6}$/);
  clock.advance(3600);
  await request(app).get('/me').set('Authorization', authorization).expect(401);
});
`;

const IMPORTS = `
import assert from 'node:assert/strict';
import express from 'express';
import request from 'supertest';
import { memoryStore, memoryUserStore } from 'express-otp-auth';
import { createTestAuth, describeStore, describeUserStore } from 'express-otp-auth/testing';
`;

const REQUIRES = `
const assert = require('node:assert/strict');
const express = require('express');
const request = require('supertest');
const { memoryStore, memoryUserStore } = require('express-otp-auth');
const { createTestAuth, describeStore, describeUserStore } = require('express-otp-auth/testing');
`;

const SUITES = `
describeStore('memoryStore', () => memoryStore());
describeUserStore('memoryUserStore', () => memoryUserStore());
`;
const SUITES_WITH_RUNNER = SUITES.replaceAll('());', '(), runner);');

/** Keeps none of its promises: the suites must notice under every runner. */
const BROKEN_STORE = `
const broken = new Proxy({}, { get: (_, name) => name === 'then' ? undefined : async () => name === 'close' ? undefined : null });
`;

describe('the testing kit', () => {
  let project: string;
  beforeAll(() => {
    project = projectWithPackage({ kinds: ['esm', 'cjs'] });
    mkdirSync(path.join(project, 'node_modules'), { recursive: true });
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ name: 'application', type: 'module' }));
  });
  const write = (name: string, ...parts: string[]) => writeFileSync(path.join(project, name), parts.join('\n'));

  it.each([
    ['a module', 'own.test.mjs', IMPORTS, "import test, * as runner from 'node:test';"],
    ['CommonJS', 'own.test.cjs', REQUIRES, "const test = require('node:test'); const runner = test;"],
  ])('runs under node:test, from %s', (_kind, name, imports, importRunner) => {
    write(name, imports, importRunner, OWN_TESTS, SUITES_WITH_RUNNER);
    const report = runNode(['--test', '--test-reporter=tap', name], project);
    expect(report).toMatch(/^# pass [1-9]\d{2}$/m);
    expect(report).toMatch(/^# fail 0$/m);
  });

  it('runs under Vitest, with its functions imported', () => {
    write(
      'own-vitest.test.mjs',
      IMPORTS,
      "import * as runner from 'vitest';\nconst { test } = runner;",
      OWN_TESTS,
      SUITES_WITH_RUNNER,
    );
    expect(plain(runInstalled('vitest', ['run', 'own-vitest.test.mjs'], project))).toMatch(
      /Tests {2}[1-9]\d{2} passed \(/,
    );
  });

  it('runs under Vitest, with its functions global', () => {
    write('global-vitest.test.mjs', IMPORTS, OWN_TESTS, SUITES);
    const report = plain(runInstalled('vitest', ['run', '--globals', 'global-vitest.test.mjs'], project));
    expect(report).toMatch(/Tests {2}[1-9]\d{2} passed \(/);
  });

  it('runs under jest in a CommonJS project', () => {
    write('own-jest.test.cjs', REQUIRES, OWN_TESTS, SUITES);
    const config = JSON.stringify({ rootDir: project, testMatch: ['**/own-jest.test.cjs'], transform: {} });
    expect(() => runInstalled('jest', ['--config', config], project)).not.toThrow();
  });

  it.each([
    ['node:test', () => runNode(['--test', 'broken.test.mjs'], project), "import * as runner from 'node:test';"],
    ['Vitest', () => runInstalled('vitest', ['run', 'broken.test.mjs'], project), "import * as runner from 'vitest';"],
  ])('fails under %s where a store is broken', (_runner, runTests, importRunner) => {
    write(
      'broken.test.mjs',
      IMPORTS,
      importRunner,
      BROKEN_STORE,
      "describeStore('a broken one', () => broken, runner);",
      "describeUserStore('a broken one', () => broken, runner);",
    );
    expect(runTests).toThrow(/a broken one as a store/);
    expect(runTests).toThrow(/a broken one as a user store/);
  });
});

function plain(report: string): string {
  // oxlint-disable-next-line no-control-regex -- the colours of a terminal
  return report.replace(/\u001b\[[0-9;]*m/g, '');
}
