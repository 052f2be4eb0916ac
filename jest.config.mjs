// The source is ECMAScript modules; in tests @swc/jest runs it as CommonJS, as a CommonJS application would.
// TEST_EXPRESS=4 and TEST_IOREDIS=5 run the same tests on the older of the supported major versions.
import os from 'node:os';

/** Lets one environment variable choose between the installed major versions of a dependency. */
function chooseMajor(variable, name, majors) {
  const [newest] = majors;
  const chosen = process.env[variable] || newest;
  if (!majors.includes(chosen)) throw new Error(`${variable} must be one of ${majors.join(', ')}, not ${chosen}`);
  return chosen === newest ? {} : { [`^${name}$`]: `${name}${chosen}`, [`^${name}/(.*)$`]: `${name}${chosen}/$1` };
}

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '\\.(ts|js)$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' } }],
  },
  // otplib's dependencies are published as ECMAScript modules only.
  transformIgnorePatterns: ['/node_modules/(?!(@noble|@scure)/)'],
  moduleNameMapper: {
    ...chooseMajor('TEST_EXPRESS', 'express', ['5', '4']),
    ...chooseMajor('TEST_IOREDIS', 'ioredis', ['6', '5']),
    // TypeScript's specifiers name the file that the compiler will write. Packages' own files come first.
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  globalSetup: '<rootDir>/test/setup/global-setup.mjs',
  globalTeardown: '<rootDir>/test/setup/global-teardown.mjs',
  setupFilesAfterEnv: ['<rootDir>/test/setup/close-after-file.ts'],
  reporters: ['default', '<rootDir>/test/setup/closing-line-reporter.mjs'],
  // A worker has a Redis database of its own, and a server has 16 unless told otherwise.
  maxWorkers: Math.min(8, Math.max(2, Math.floor(os.availableParallelism() / 2))),
  // Long enough for a browser on a busy machine: what hangs is found all the same.
  testTimeout: 120_000,
};
