import type { Check, Finding } from './check.js';

const VARIABLE = 'EXPRESS_OTP_AUTH_JWT_SECRET';
const REMEDY = "Take a new one from 'npx express-otp-auth secret', and list the old one behind it for a while.";
/** 128 bits, in the plainest way of writing them. */
const FEWEST_DISTINCT_CHARACTERS = 10;
/** What tutorials and boilerplates hold. */
const WELL_KNOWN =
  /change.?me|your.?(?:256|jwt|super|own|secret)|super.?secret|my.?secret|secret.?key|password|example|development|0123456789|abcdefgh|qwert/i;

/** How easily the secret can be guessed. */
export const secretCheck: Check = {
  name: 'secret',
  title: 'Secret',
  reads: ['jwt.secret'],
  run({ settings: { jwt }, production }) {
    if (jwt.secretIsRandom)
      return [
        {
          level: production ? 'error' : 'warning',
          message: `${VARIABLE} is not set: a random one serves, so a restart signs everybody out, and two processes cannot read each other’s tokens.`,
          remedy: "Put what 'npx express-otp-auth secret' prints into it.",
        },
      ];
    const findings = jwt.secrets.flatMap((secret, index) =>
      judge(secret, jwt.secrets.length === 1 ? '' : ` ${index + 1}`),
    );
    if (jwt.secrets.length > 1)
      findings.push({
        level: 'note',
        message: `${jwt.secrets.length} secrets are listed: the first signs. Leave an old one out when the last session that it signed is over, ${jwt.sessionMaxDays} days at most.`,
      });
    return findings;
  },
};

function judge(secret: string, which: string): Finding[] {
  const weakness = weaknessOf(secret);
  return weakness === undefined
    ? [{ level: 'ok', message: `The secret${which} is long, and looks random.` }]
    : [{ level: 'error', message: `The secret${which} ${weakness}.`, remedy: REMEDY }];
}

function weaknessOf(secret: string): string | undefined {
  if (WELL_KNOWN.test(secret)) return 'holds words that guessers try first';
  if (/^(.{1,16}?)\1+.{0,16}$/s.test(secret)) return 'repeats itself';
  const distinct = new Set(secret).size;
  return distinct < FEWEST_DISTINCT_CHARACTERS ? `has only ${distinct} different characters` : undefined;
}
