import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { call, cookieHeader } from '../support/call.js';
import { closeAfterFile } from '../support/closing.js';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';
import { type Program, startProgram } from '../support/program.js';
import { freshRedis, redisUrl } from '../support/redis.js';
import { startSmtp } from '../support/smtp.js';

const email = 'jo@example.com';
const root = path.resolve(__dirname, '../..');

jest.setTimeout(180_000); // A compiler and servers, on a machine that may have other things to do

let project: string;
beforeAll(() => {
  project = projectWithPackage({ kinds: ['esm', 'cjs'] });
});

describe.each([
  { name: 'basic', program: 'dist/server.js', tests: 'dist/app.test.js' },
  { name: 'javascript', program: 'server.js', tests: 'app.test.js' },
])('examples/$name', ({ name, program, tests }) => {
  let folder: string;
  beforeAll(() => {
    folder = path.join(project, name);
    cpSync(path.join(root, 'examples', name), folder, { recursive: true });
    if (name === 'basic') runInstalled('tsc', [], folder);
  });

  it('signs in with the code on the console, and out again', async () => {
    const server = startProgram(process.execPath, [program], { cwd: folder, env: { PORT: '0' } });
    await signInAndOut(await server.line(/^http:/), () => codeIn(server));
  });

  it('ends by itself when it is told to', async () => {
    const server = startProgram(process.execPath, [program], { cwd: folder, env: { PORT: '0' } });
    await server.line(/^http:/);
    server.signal('SIGTERM');
    await expect(server.ended).resolves.toEqual({ code: 0, signal: null });
  });

  it('says so where its port is taken', async () => {
    const first = startProgram(process.execPath, [program], { cwd: folder, env: { PORT: '0' } });
    const { port } = new URL(await first.line(/^http:/));
    const second = startProgram(process.execPath, [program], { cwd: folder, env: { PORT: port } });
    await expect(second.ended).resolves.toMatchObject({ code: 1 });
    expect(second.said()).toContain('EADDRINUSE');
  });

  it('in production, signs in on a real Redis and a real SMTP server', async () => {
    const redis = await freshRedis();
    const smtp = await startSmtp();
    closeAfterFile(() => smtp.close());
    const server = startProgram(process.execPath, [program], {
      cwd: folder,
      env: {
        NODE_ENV: 'production',
        PORT: '0',
        EXPRESS_OTP_AUTH_JWT_SECRET: 'a secret for tests of more than thirty-two bytes',
        EXPRESS_OTP_AUTH_REDIS_URL: redisUrl(),
        EXPRESS_OTP_AUTH_SMTP_SERVER: smtp.host,
        EXPRESS_OTP_AUTH_SMTP_PORT: String(smtp.port),
      },
    });
    await signInAndOut(await server.line(/^http:/), async () => {
      await smtp.waitFor(email);
      return smtp.lastCode(email);
    });
    expect(await redis.dbsize()).toBeGreaterThan(0);
    expect(server.said()).not.toContain(email);
  });

  it('passes its own tests', () => {
    expect(runNode(['--test', '--test-reporter=tap', tests], folder)).toMatch(/^# pass 3$/m);
  });
});

describe("the README's quick start, typed into an empty project", () => {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  /** The block of code that starts with this comment; a test must not need port 3000, of all ports. */
  const block = (file: string): string => {
    const code = new RegExp(`\`\`\`\\w+\n// ${file.replace('.', '\\.')}\n(.*?)\`\`\``, 's').exec(readme)?.[1] ?? '';
    expect(code).toContain('3000');
    return code.replace('app.listen(3000', 'const server = app.listen(0').replace(/'http:\S+3000'/, 'server.address()');
  };

  it('works in TypeScript', async () => {
    const folder = path.join(project, 'readme-typescript');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, types: ['node'] };
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    writeFileSync(path.join(folder, 'server.ts'), block('server.ts'));
    runInstalled('tsc', [], folder);
    await signInAtReadmes(startProgram(process.execPath, ['server.js'], { cwd: folder }));
  });

  it('works in JavaScript', async () => {
    const folder = path.join(project, 'readme-javascript');
    mkdirSync(folder);
    writeFileSync(path.join(folder, 'package.json'), '{}');
    writeFileSync(path.join(folder, 'server.js'), block('server.js'));
    await signInAtReadmes(startProgram(process.execPath, ['server.js'], { cwd: folder }));
  });

  async function signInAtReadmes(server: Program): Promise<void> {
    const address = await server.line(/port:/);
    await signInAndOut(`http://127.0.0.1:${/port: (\d+)/.exec(address)?.[1]}`, () => codeIn(server));
  }
});

/** The code that a server without a mail server prints. */
async function codeIn(server: Program): Promise<string> {
  const line = await server.line(new RegExp(`^To ${email}: `));
  return /\b\d{6}\b/.exec(line)?.[0] ?? 'no code';
}

/** The whole way, as the README's commands go it, and back. */
async function signInAndOut(url: string, nextCode: () => Promise<string>): Promise<void> {
  expect(await call(`${url}/me`, { method: 'GET' })).toMatchObject({ status: 401, body: { code: 'token_missing' } });
  expect(await call(`${url}/auth/request-otp`, { body: { email } })).toMatchObject({ status: 200 });
  const otp = await nextCode();
  const signedIn = await call(`${url}/auth/verify-otp`, { body: { email, otp } });
  expect(signedIn).toMatchObject({ status: 200, body: { token_type: 'bearer' } });

  const refreshCookie = signedIn.cookies.find(({ name }) => name.endsWith('refresh_token'))!;
  const refreshed = await call(`${url}/auth/refresh`, { headers: cookieHeader(refreshCookie) });
  expect(refreshed.status).toBe(200);
  const headers = { Authorization: `Bearer ${refreshed.body.access_token}` };
  expect(await call(`${url}/me`, { method: 'GET', headers })).toMatchObject({ status: 200, body: { id: email } });
  expect(await call(`${url}/auth/logout`, { headers })).toMatchObject({ status: 200 });
  expect(await call(`${url}/me`, { method: 'GET', headers })).toMatchObject({ status: 401 });
}
