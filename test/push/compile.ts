import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { transformFileSync } from '@swc/core';
import { closeAfterFile } from '../support/closing.js';

const root = path.resolve(__dirname, '../..');

/** Compiles the package as it is now, for processes that jest does not run. @returns the file to `require` */
export function compilePackage(): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-'));
  closeAfterFile(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  for (const name of readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const { code } = transformFileSync(path.join(root, 'src', name), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      module: { type: 'commonjs', ignoreDynamic: true },
    });
    const target = path.join(folder, name.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  return path.join(folder, 'index.js');
}
