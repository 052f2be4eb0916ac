import { cpSync } from 'node:fs';
import path from 'node:path';
import { projectWithPackage, runNode } from '../support/installed-package.js';
import { startProgram } from '../support/program.js';

jest.setTimeout(180_000); // A compiler, on a machine that may have other things to do

describe('examples/observability', () => {
  let folder: string;
  beforeAll(() => {
    folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'observability');
    cpSync(path.resolve(__dirname, '../../examples/observability'), folder, { recursive: true });
  });

  it('passes its own tests', () => {
    expect(runNode(['--test', '--test-reporter=tap'], folder)).toMatch(/^# pass 3$/m);
  });

  it('starts, and ends by itself when it is told to', async () => {
    const server = startProgram(process.execPath, ['server.js'], { cwd: folder, env: { PORT: '0' } });
    const url = await server.line(/^http:/);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('otp_auth_store_up 1');
    server.signal('SIGTERM');
    await expect(server.ended).resolves.toMatchObject({ code: 0 });
  });
});
