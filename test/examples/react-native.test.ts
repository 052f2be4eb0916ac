import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { build } from 'esbuild';
import type { OtpClient } from '../../src/client/index.js';
import { startWeatherServer } from '../client/weather-server.js';
import { projectWithPackage, runInstalled } from '../support/installed-package.js';
import { installSecureStore } from '../support/secure-store.js';

jest.setTimeout(120_000); // it starts programs, on a machine that may be busy

const email = 'ann@example.com';

/** React Native's, before it had a real one. */
class PlainUrl {
  readonly href: string;
  constructor(url: string) {
    this.href = url;
  }
  get origin(): string {
    throw new Error('URL.origin is not implemented');
  }
}

describe('examples/react-native', () => {
  let project: string;
  beforeAll(() => {
    project = projectWithPackage({ kinds: ['esm'] });
    cpSync(path.resolve('examples/react-native'), project, { recursive: true });
    installSecureStore(project);
  });

  it('compiles', () => {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022'],
      types: ['node', 'react'],
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      noEmit: true,
    };
    writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['auth.ts'] }));
    expect(() => runInstalled('tsc', [], project)).not.toThrow();
  });

  it('signs in, goes on after a restart, and signs out, with no more than what React Native has', async () => {
    const server = await startWeatherServer();
    const bundled = await build({
      entryPoints: [path.join(project, 'auth.ts')],
      bundle: true,
      format: 'iife',
      globalName: 'auth',
      platform: 'neutral',
      external: ['react'],
      write: false,
    });
    const keychain = new Map<string, string>();
    const startApplication = (): OtpClient => {
      const { AbortController, Headers, Request, Response, atob, clearTimeout, queueMicrotask, setTimeout } =
        globalThis;
      const application = vm.createContext({
        keychain,
        fetch: (url: string, init: RequestInit) => fetch(url.replace('https://api.example.com', server.origin), init),
        require: () => ({}), // React, for the hook, which is not called here
        URL: PlainUrl,
        AbortController,
        Headers,
        Request,
        Response,
        atob,
        clearTimeout,
        queueMicrotask,
        setTimeout,
      });
      return vm.runInContext(`${bundled.outputFiles[0]!.text}; auth.client`, application) as OtpClient;
    };

    const client = startApplication();
    await client.requestOtp({ email });
    const { error } = await client.verifyOtp({ email, otp: server.outbox.lastCode(email) ?? '' });
    expect(error).toBeNull();
    expect(keychain.has('otp_refresh_token')).toBe(true);

    const restarted = startApplication();
    const response = await restarted.fetch('https://api.example.com/me');
    await expect(response.json()).resolves.toEqual({ id: email });
    expect(restarted.user).toMatchObject({ id: email });
    await expect(restarted.logout()).resolves.toMatchObject({ error: null });
    expect(keychain.has('otp_refresh_token')).toBe(false);
  });
});
