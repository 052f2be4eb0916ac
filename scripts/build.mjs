// Two plain compiler passes: dist/esm and dist/cjs. Each folder has a package.json of its own, so that
// Node and TypeScript read its files as the module kind they are.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
for (const [folder, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  execFileSync(process.execPath, [path.join(typescript, 'bin/tsc'), '-p', `tsconfig.${folder}.json`], {
    cwd: root,
    stdio: 'inherit',
  });
  const output = path.join(root, 'dist', folder);
  mkdirSync(output, { recursive: true });
  writeFileSync(path.join(output, 'package.json'), `${JSON.stringify({ type })}\n`);
}
