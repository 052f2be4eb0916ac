import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeAfterFile } from '../support/closing.js';

/** What there is under a name: texts of its TXT records. A name with none exists all the same. */
export type Zone = Record<string, string[]>;

const [TXT, NS] = [16, 2];
const [NO_ERROR, NO_SUCH_NAME] = [0, 3];

/** A DNS server (RFC 1035) that knows these names and no other. `silent`: it answers nothing. It is closed after the file's last test. */
export async function startDns(zone: Zone, { silent = false } = {}): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    if (!silent) socket.send(answerTo(query, zone), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  closeAfterFile(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

function answerTo(query: Buffer, zone: Zone): Buffer {
  const labels: string[] = [];
  let position = 12;
  for (let length = query[position]!; length > 0; length = query[position]!) {
    labels.push(query.toString('latin1', position + 1, position + 1 + length));
    position += length + 1;
  }
  const name = labels.join('.').toLowerCase();
  const type = query.readUInt16BE(position + 1);
  const question = query.subarray(12, position + 5);
  const known = zone[name];
  const data =
    type === NS && known
      ? [Buffer.from([2, ...Buffer.from('ns'), 0])]
      : type === TXT
        ? (known ?? []).map(textData)
        : [];

  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (known ? NO_ERROR : NO_SUCH_NAME), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(data.length, 6);
  const answers = data.map((content) => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0); // the name is the question's
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt16BE(content.length, 10);
    return Buffer.concat([record, content]);
  });
  return Buffer.concat([header, question, ...answers]);
}

function textData(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
}
