import { fakeClock, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';

let people = 0;

describeOnEachStore('codes that arrive late', (stored) => {
  const start = async (liveCodes: number, otp: object = {}) => {
    const app = await startAuthApp({ ...stored(), otp: { liveCodes, ...otp } }, fakeClock());
    /** Someone new, who has asked for so many codes. They are all different, so that one cannot be taken for another. */
    const someoneWithCodes = async (count: number) => {
      const email = `person-${(people += 1)}@example.com`;
      const codes: string[] = [];
      for (let place = 0; place < count; place += 1) {
        const answer = await call(`${app.url}/auth/request-otp`, { body: { email } });
        expect(answer.status).toBe(200);
        codes.push(app.lastCode(email));
      }
      if (new Set(codes).size < count) return someoneWithCodes(count);

      const verify = async (code: string | undefined) =>
        (await call(`${app.url}/auth/verify-otp`, { body: { email, otp: code } })).status;
      const wrong = ['000000', '111111', '222222', '333333', '444444'].find((code) => !codes.includes(code));
      return { codes, verify, guessWrong: () => verify(wrong) };
    };
    return { ...app, someoneWithCodes };
  };

  it.each([1, 2, 3])('work while they are among the %i newest', async (liveCodes) => {
    const { someoneWithCodes } = await start(liveCodes);
    for (let age = 0; age < 4; age += 1) {
      const { codes, verify } = await someoneWithCodes(4);
      expect([age, await verify(codes.at(-1 - age))]).toEqual([age, age < liveCodes ? 200 : 400]);
    }
  });

  it('are all used up with the one that is typed in', async () => {
    const { someoneWithCodes } = await start(3);
    const { codes, verify } = await someoneWithCodes(3);
    expect(await verify(codes[1])).toBe(200);
    for (const code of codes) expect(await verify(code)).toBe(400);
  });

  it.each([1, 2, 3])('share their wrong guesses, where %i of them are live', async (liveCodes) => {
    const { someoneWithCodes } = await start(liveCodes);
    const lucky = await someoneWithCodes(liveCodes);
    for (let time = 0; time < 4; time += 1) expect(await lucky.guessWrong()).toBe(400);
    expect(await lucky.verify(lucky.codes[0])).toBe(200);

    const unlucky = await someoneWithCodes(liveCodes);
    for (let time = 0; time < 5; time += 1) expect(await unlucky.guessWrong()).toBe(400);
    for (const code of unlucky.codes) expect(await unlucky.verify(code)).toBe(400);
  });

  it('give a guesser no better odds, because each code that a guess is compared with is charged', async () => {
    const guesses: number[] = [];
    const odds = new Set<number>();
    for (const liveCodes of [1, 2, 3]) {
      const { someoneWithCodes, auth } = await start(liveCodes, { maxAttempts: 10 });
      odds.add(auth.budget().oddsPerYear);
      const { guessWrong } = await someoneWithCodes(liveCodes);
      let refused = 0;
      while ((await guessWrong()) === 400) refused += 1;
      guesses.push(refused);
    }
    // Of 25 charges a day: ten guesses at one code and 15 at none; ten at two codes and five at none; eight at three codes and one at one.
    expect(guesses).toEqual([25, 15, 9]);
    expect(odds.size).toBe(1);
  });
});
