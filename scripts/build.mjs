// dist/esm and dist/cjs, or the same in the folder that is named: rolldown joins the code into few files, because finding
// and opening some 150 of them takes longer than running them, and the compiler writes the types. Each folder has a
// package.json of its own, so that Node and TypeScript read its files as the module kind they are.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';

const root = path.dirname(import.meta.dirname);
const output = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
const typescript = path.dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const { dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const declared = Object.keys({ ...dependencies, ...peerDependencies });
const entries = ['index', 'client/index', 'testing/index', 'stores/kysely/index', 'cli/main'];

rmSync(output, { recursive: true, force: true });
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((entry) => [entry, path.join(root, `src/${entry}.ts`)])),
  platform: 'node',
  transform: { target: 'node20' },
  external: (id) => declared.some((name) => id === name || id.startsWith(`${name}/`)),
});
for (const [folder, type] of [
  ['esm', 'module'],
  ['cjs', 'commonjs'],
]) {
  const dir = path.join(output, folder);
  await bundle.write({
    dir,
    format: folder,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    // A CommonJS application's jest has no `import()`.
    dynamicImportInCjs: false,
  });
  writeFileSync(path.join(dir, 'package.json'), `${JSON.stringify({ type })}\n`);
  const tsc = [path.join(typescript, 'bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', dir];
  execFileSync(process.execPath, tsc, { cwd: root, stdio: 'inherit' });
}
await bundle.close();
