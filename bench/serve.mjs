// One target in a process of its own: `node serve.mjs <module> <export> <place as JSON>`. Its parent asks it for figures.
const [file, start, place] = process.argv.slice(2);
const target = await import(`./targets/${file}.mjs`);
const app = await target[start](JSON.parse(place));
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
// Else it would close connections in the pauses between rounds, while the load still writes to them.
server.keepAliveTimeout = 600_000;

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuMicroseconds: user + system, rssBytes: process.memoryUsage.rss() });
});
process.on('disconnect', () => process.exit());
