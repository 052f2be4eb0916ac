// Checks what would be published: the files that must be in it and no others, and that everything it imports is declared.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const required = ['LICENSE', 'README.md', 'SECURITY.md', 'CHANGELOG.md', 'llms.txt', 'package.json'];
const problems = [];

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
const files = packedFiles();

for (const file of required) if (!files.includes(file)) problems.push(`${file} is not in the package`);
for (const file of files) {
  if (!required.includes(file) && !/^(dist\/(esm|cjs)\/.*(\.js|\.d\.ts|package\.json)|docs\/[\w-]+\.md)$/.test(file)) {
    problems.push(`${file} does not belong in the package`);
  }
  for (const name of importedPackages(file)) {
    if (!declared.includes(name)) problems.push(`${file} imports ${name}, which is neither a dependency nor a peer`);
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`The package holds ${files.length} files, and declares what they import.`);

function packedFiles() {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const answer = JSON.parse(
    execFileSync('npm', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  // npm 11 answers with a list of packages, npm 12 with an object of them.
  return Object.values(answer)[0].files.map((file) => file.path);
}

/** Names of the packages that a compiled file imports, in code or in types. */
function importedPackages(file) {
  if (!/\.(js|d\.ts)$/.test(file)) return [];
  const specifiers = readFileSync(path.join(root, file), 'utf8').matchAll(
    /^(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\b(?:import|require)\(\s*['"]([^'"]+)['"]\s*\)/gm,
  );
  return [...specifiers]
    .map(([, ...groups]) => groups.find(Boolean))
    .filter((specifier) => !specifier.startsWith('.') && !isBuiltin(specifier))
    .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)[0]);
}
