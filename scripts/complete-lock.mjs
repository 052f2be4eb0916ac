// Run after `npm install` behind a registry mirror that holds the packages of its own platform alone. npm then leaves
// the other platforms' optional packages (compilers, linters) out of package-lock.json, and `npm ci` refuses a lock
// file without them, everywhere. They go back in with their version and platform; npm adds the rest when it sees them.
import { readFileSync, writeFileSync } from 'node:fs';

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const added = Object.entries(lock.packages).flatMap(([folder, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !isLocked(name, folder))
    .map(([name, version]) => [
      `node_modules/${name}`,
      { version, ...(dev && { dev }), optional: true, ...platform(name) },
    ]),
);
for (const [folder, { version }] of added) {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new Error(`${folder} wants ${version}: only an exact version can be added`);
}
const packages = [...Object.entries(lock.packages), ...added].toSorted(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync('package-lock.json', `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
console.log(`${added.length} optional packages added to package-lock.json`);

/** Whether Node, from that folder, would find the package: in it, or in a folder around it. */
function isLocked(name, folder) {
  const around = folder.split(/\/?node_modules\//).slice(1);
  return [...around, ''].some((_, depth) => {
    const base = around.slice(0, depth).map((part) => `node_modules/${part}/`);
    return `${base.join('')}node_modules/${name}` in lock.packages;
  });
}

/** What the package runs on, as its name says. */
function platform(name) {
  const words = name.split('/').at(-1).split(/[-.]/);
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const libc = os[0] !== 'linux' ? [] : words.some((word) => word.startsWith('musl')) ? ['musl'] : ['glibc'];
  return Object.fromEntries(Object.entries({ os, cpu, libc }).filter(([, values]) => values.length > 0));
}
