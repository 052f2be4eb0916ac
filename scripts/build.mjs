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
const { version, dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const declared = Object.keys({ ...dependencies, ...peerDependencies });
const entries = ['index', 'client/index', 'testing/index', 'stores/kysely/index'];

rmSync(output, { recursive: true, force: true });
await build('esm', 'module', [...entries, 'cli/main']);
await build('cjs', 'commonjs', entries, {
  // A CommonJS application's jest has no `import()`.
  dynamicImportInCjs: false,
  plugins: [requireInTry()],
});

async function build(folder, type, names, options) {
  const dir = path.join(output, folder);
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, path.join(root, `src/${name}.ts`)])),
    platform: 'node',
    transform: { target: 'node20', define: { PACKAGE_VERSION: JSON.stringify(version) } },
    external: isExternal,
  });
  await bundle.write({
    dir,
    format: folder,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    ...options,
  });
  await bundle.close();
  writeFileSync(path.join(dir, 'package.json'), `${JSON.stringify({ type })}\n`);
  const tsc = [path.join(typescript, 'bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', dir];
  execFileSync(process.execPath, tsc, { cwd: root, stdio: 'inherit' });
}

function isExternal(id) {
  return declared.some((name) => id === name || id.startsWith(`${name}/`));
}

/**
 * What was `import()` in a `try` becomes a `require()` in a function of its own, which bundlers no longer see to be in
 * one: they would refuse to build an application that has not installed the package.
 */
function requireInTry() {
  const late = /\.then\(\(\) => (?:\/\* @__PURE__ \*\/ )?([\w.]+\(require\("([^"]+)"\), 1\))\)/g;
  return {
    name: 'require-in-try',
    renderChunk(code, { fileName, dynamicImports }) {
      const changed = [];
      const inTry = code.replace(late, (_all, loaded, id) => {
        changed.push(id);
        return `.then(() => { try { return ${loaded}; } catch (cause) { throw cause; } })`;
      });
      const left = dynamicImports.filter((id) => isExternal(id) && !changed.includes(id));
      if (left.length > 0) throw new Error(`${fileName} has no require() in a try for ${left.join(', ')}`);
      return inTry;
    },
  };
}
