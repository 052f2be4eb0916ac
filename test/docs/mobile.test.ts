import { startAuthApp } from '../support/auth-app.js';
import { type Answer, call } from '../support/call.js';
import { codeBlocks, pageAt } from '../support/markdown.js';
import { shellCommands } from '../support/shell.js';

const blocks = codeBlocks(pageAt('docs/mobile.md'));

describe("docs/mobile.md's requests", () => {
  it('sign in, refresh and sign out, with the answers that the guide shows', async () => {
    const { url, lastCode } = await startAuthApp();
    const known: Record<string, unknown> = {};
    const answers: Answer[] = [];
    for (const { args } of blocks.flatMap(({ code, language }) => (language === 'sh' ? shellCommands(code) : []))) {
      const address = args.find((arg) => arg.startsWith('https:'));
      if (address === undefined) continue;
      const body = JSON.parse(args.at(-1)!) as Record<string, string>;
      if (body['otp']) body['otp'] = lastCode(body['email']!);
      if (body['refresh_token']) body['refresh_token'] = String(known['refresh_token']);
      const answer = await call(url + new URL(address).pathname, { body });
      Object.assign(known, answer.body);
      answers.push(answer);
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const shown = JSON.parse(blocks.find(({ language }) => language === 'json')!.code) as object;
    expect(Object.keys(shown).toSorted()).toEqual(Object.keys(answers[1]!.body).toSorted());
    expect(answers[1]!.cookies).toEqual([]);
    expect(answers[2]!.body.refresh_token).toEqual(expect.any(String));
  });
});
