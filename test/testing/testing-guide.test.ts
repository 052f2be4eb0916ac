import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';
import { codeBlocks, pageAt } from '../support/markdown.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

describe('docs/testing.md', () => {
  const programs = codeBlocks(pageAt('docs/testing.md')).flatMap(({ language, code }) =>
    ['ts', 'js'].includes(language) ? [code] : [],
  );
  const [jestConfig] = programs.filter((program) => program.startsWith('// jest.config.cjs\n')) as [string];
  const [application, ...tests] = programs.filter((program) => program !== jestConfig) as [string, ...string[]];
  /** The name that the guide gives it. */
  const fileOf = (program: string, place: number) =>
    `${/^\/\/ ([\w.-]+)\.[jt]s\b/.exec(program)?.[1] ?? `${place}.test`}.js`;
  const forNode = tests.filter((program) => program.includes('node:test'));
  let project: string;

  beforeAll(() => {
    project = projectWithPackage({ kinds: ['esm', 'cjs'] });
    const write = (name: string, program: string) =>
      writeFileSync(path.join(project, name), transformSync(program, { loader: 'ts' }).code);
    writeFileSync(path.join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    write('app.js', application);
    for (const [place, program] of tests.entries()) write(fileOf(program, place), program);
  });

  it('has tests that pass under Vitest as they stand', () => {
    const report = runInstalled('vitest', ['run', '--globals', '--reporter=json'], project);
    const { numPassedTests, numTotalTests, testResults } = JSON.parse(report) as {
      numPassedTests: number;
      numTotalTests: number;
      testResults: object[];
    };
    expect(testResults).toHaveLength(tests.length - forNode.length);
    expect(numPassedTests).toBe(numTotalTests);
  });

  it('has a first test that passes under Jest, set up as it says, as does one with a second factor', () => {
    const folder = path.join(project, 'jest');
    mkdirSync(folder);
    const files = {
      'package.json': '{}',
      'jest.config.cjs': jestConfig,
      'app.ts': application,
      'app.test.ts': tests[0]!,
      'totp.test.ts': SECOND_FACTOR,
      'app-test.js': forNode[0]!,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
    const report = runInstalled('jest', ['--json'], folder);
    expect(JSON.parse(report)).toMatchObject({ success: true, numPassedTests: 4, numTotalTests: 4 });
  });

  it('has tests that pass under node:test as they stand', () => {
    const names = forNode.map((program) => fileOf(program, tests.indexOf(program)));
    expect(names).toEqual(['app-test.js', 'my-store-test.js']);
    expect(runNode(['--test', '--test-reporter=tap', ...names], project)).toMatch(/^# fail 0$/m);
  });
});

const SECOND_FACTOR = `
import { createTestAuth } from 'express-otp-auth/testing';

it('signs in with a second factor', async () => {
  const { signIn } = createTestAuth({ users: { store: 'memory' }, totp: 'required' });
  expect((await signIn('ann@example.com')).user.amr).toContain('totp');
});
`;
