import { VARIABLE_PREFIX, VARIABLES } from '../../config/variables.js';
import { codeRulesOf, loadSettings, type Settings } from '../../config.js';
import { budgetOf } from '../../core/budget.js';
import { isOtpAuthError, type Problem } from '../../errors.js';
import type { Finding } from './check.js';

type Environment = Record<string, string | undefined>;

/** The configuration, as far as it can be read. */
export interface ReadConfiguration {
  findings: Finding[];
  /** With defaults in place of what is not valid. */
  settings: Settings;
  /** Options that are not valid. */
  broken: readonly string[];
}

/** Reads the environment as the factory does; what is not valid hides nothing of the rest. */
export function readConfiguration(env: Environment): ReadConfiguration {
  const unknown = unknownVariables(env);
  try {
    const settings = load(env);
    return { findings: [...fine(settings), ...remarks(settings, env), ...unknown], settings, broken: [] };
  } catch (error) {
    if (!isOtpAuthError(error)) throw error;
    const problems = error.details.errors ?? [];
    const settings = withoutBroken(env, problems);
    const findings = problems.map(asFinding);
    return {
      findings: [...findings, ...remarks(settings, env), ...unknown],
      settings,
      broken: problems.map(({ path }) => path),
    };
  }
}

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function load(env: Environment): Settings {
  return loadSettings({ logger: silent }, env);
}

/** Without the variables that are wrong; and, where something is missing that production demands, as outside of it. */
function withoutBroken(env: Environment, problems: readonly Problem[]): Settings {
  const wrong = VARIABLES.filter(([, option]) => problems.some(({ path }) => isOf(path, option)));
  const rest: Environment = { ...env };
  for (const [name] of wrong) delete rest[VARIABLE_PREFIX + name];
  for (const attempt of [rest, { ...rest, NODE_ENV: undefined }]) {
    try {
      return load(attempt);
    } catch {
      // What is left is wrong together only.
    }
  }
  return load({});
}

function isOf(path: string, option: string): boolean {
  return path === option || path.startsWith(`${option}.`) || option.startsWith(`${path}.`);
}

function asFinding({ path, message }: Problem): Finding {
  const variable = VARIABLES.find(([, option]) => isOf(path, option))?.[0];
  const name = variable === undefined ? path : `${VARIABLE_PREFIX}${variable} (${path})`;
  return { level: 'error', message: `${name} ${message}` };
}

function fine(settings: Settings): Finding[] {
  const { oddsPerYear } = budgetOf(codeRulesOf(settings));
  const odds = `${Number((oddsPerYear * 100).toPrecision(2))} %`;
  return [
    {
      level: 'ok',
      message: `The configuration is valid. A stranger who guesses all year gets into an account with odds of ${odds}.`,
    },
  ];
}

function remarks({ magicOtp }: Settings, env: Environment): Finding[] {
  const findings: Finding[] = [];
  if (magicOtp)
    findings.push({
      level: 'warning',
      message: 'Magic codes are on: nothing is sent, and anybody can sign in as anybody with zeros.',
      remedy: `Unset ${VARIABLE_PREFIX}DISABLE_LOCAL_AUTH everywhere but on developers’ machines.`,
    });
  if (env['NODE_ENV'] !== 'production')
    findings.push({
      level: 'note',
      message: 'This is judged as a development machine’s. With NODE_ENV=production more is demanded.',
    });
  return findings;
}

function unknownVariables(env: Environment): Finding[] {
  const known = VARIABLES.map(([name]) => VARIABLE_PREFIX + name);
  return Object.keys(env)
    .filter((name) => name.startsWith(VARIABLE_PREFIX) && !known.includes(name))
    .map((name) => {
      const [nearest] = known.toSorted((a, b) => distance(name, a) - distance(name, b));
      const isNear = nearest !== undefined && distance(name, nearest) <= 4;
      return {
        level: 'warning',
        message: `${name} is set, and nothing reads it.`,
        remedy: isNear ? `Did you mean ${nearest}?` : 'Unset it, or look its name up in the README.',
      };
    });
}

/** How many letters have to be changed, added or left out (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (row[column - 1] as number) + (a[line - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
