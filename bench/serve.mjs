// One target in a process of its own: `node serve.mjs <target>`. The parent asks for CPU time by message.
import { targets } from './targets.mjs';

const target = await targets[process.argv[2]]({ redisUrl: process.env.REDIS_URL });
const server = target.app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.on('message', (question) => {
  if (question === 'cpu') {
    const { user, system } = process.cpuUsage();
    process.send({ cpuMicroseconds: user + system });
  }
});
process.on('disconnect', () => process.exit());
