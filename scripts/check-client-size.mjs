// Checks that express-otp-auth/client, as a bundler makes it, stays under 3 kB gzipped and needs nothing else.
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const mostBytes = 3000;
const root = path.dirname(import.meta.dirname);

const { outputFiles, metafile } = await build({
  entryPoints: [path.join(root, 'dist/esm/client/index.js')],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral', // a module of Node's is then an error, as it is in React Native
  metafile: true,
  write: false,
});
const foreign = Object.keys(metafile.inputs).filter(
  (file) => !path.resolve(file).startsWith(`${root}/dist/esm/client/`),
);
const { length } = gzipSync(outputFiles[0].contents, { level: 9 });

if (foreign.length > 0) console.error(`The client takes in ${foreign.join(', ')}.`);
if (length >= mostBytes) console.error(`The client has ${length} bytes, minified and gzipped: more than ${mostBytes}.`);
if (foreign.length > 0 || length >= mostBytes) process.exit(1);
console.log(`The client has ${length} bytes, minified and gzipped, and takes in nothing else.`);
