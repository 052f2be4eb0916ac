// A server at a distance: `node distance.mjs <port> <milliseconds>` passes everything on, each way so much later.
import { connect, createServer } from 'node:net';

const [port, milliseconds] = process.argv.slice(2).map(Number);

createServer((near) => {
  const far = connect(port, '127.0.0.1');
  near.setNoDelay(true);
  far.setNoDelay(true);
  for (const [from, to] of [
    [near, far],
    [far, near],
  ]) {
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), milliseconds));
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  }
}).listen(0, '127.0.0.1', function () {
  process.send({ port: this.address().port });
});
process.on('disconnect', () => process.exit());
