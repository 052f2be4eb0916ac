import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import { projectWithPackage } from '../support/installed-package.js';
import { codeBlocks, pageAt } from '../support/markdown.js';
import { type Program, startProgram } from '../support/program.js';
import { startSmtp, type TestSmtp } from '../support/smtp.js';
import { closeAfterFile } from '../support/closing.js';

/** A server that a guide shows, as a process of its own, with a mail server on this machine. */
export interface GuideServer {
  url: string;
  port: number;
  smtp: TestSmtp;
  program: Program;
}

/** The code in a guide that begins with the comment `// name`. */
export function programIn(file: string, name: string): string {
  const block = codeBlocks(pageAt(file)).find(({ code }) => code.startsWith(`// ${name}\n`));
  if (!block) throw new Error(`${file} shows no ${name}`);
  return block.code;
}

/** Starts the guide's `server.ts` as it stands, but on a free port, and with `variables`. */
export async function startGuideServer(file: string, variables: Record<string, string>): Promise<GuideServer> {
  const shown = programIn(file, 'server.ts');
  const listen = /^(?:const server = )?app\.listen\((?:process\.env\.PORT \?\? )?3000/m;
  if (!listen.test(shown)) throw new Error(`${file} shows a server.ts that listens in a way of its own`);
  const listening = shown.replace(listen, "const server = app.listen(0, '127.0.0.1'");
  const program = `${listening}\nserver.once('listening', () => console.log(\`port \${server.address().port}\`));\n`;
  const folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'server');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'server.mjs'), transformSync(program, { loader: 'ts' }).code);

  const smtp = await startSmtp();
  closeAfterFile(() => smtp.close());
  const running = startProgram(process.execPath, ['server.mjs'], {
    cwd: folder,
    env: {
      EXPRESS_OTP_AUTH_SMTP_SERVER: smtp.host,
      EXPRESS_OTP_AUTH_SMTP_PORT: String(smtp.port),
      EXPRESS_OTP_AUTH_STORE_TIMEOUT_MS: '10000', // the machine may be busy
      ...variables,
    },
  });
  const port = Number(/\d+/.exec(await running.line(/^port \d+$/))?.[0]);
  return { url: `http://127.0.0.1:${port}`, port, smtp, program: running };
}
