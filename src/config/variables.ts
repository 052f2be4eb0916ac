export const VARIABLE_PREFIX = 'EXPRESS_OTP_AUTH_';

/** How the text of a variable becomes an option's value. Text that does not fit is passed on, for the schema to refuse. */
const readers = {
  text: (text: string): unknown => text,
  number: (text: string): unknown => (/^-?\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : text),
  flag: (text: string): unknown => FLAGS[text.trim().toLowerCase()] ?? text,
  list: (text: string): unknown => text.split(',').map((part) => part.trim()),
  pem: (text: string): unknown => text.replaceAll('\\n', '\n'),
};

const FLAGS: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  1: true,
  false: false,
  no: false,
  off: false,
  0: false,
};

/** Every environment variable (less its prefix), the option that it sets, and how it is read. */
export const VARIABLES: readonly (readonly [name: string, option: string, reader: keyof typeof readers])[] = [
  ['REDIS_URL', 'redis', 'text'],
  ['SMTP_SERVER', 'email.smtp.host', 'text'],
  ['SMTP_PORT', 'email.smtp.port', 'number'],
  ['SMTP_USERNAME', 'email.smtp.username', 'text'],
  ['SMTP_PASSWORD', 'email.smtp.password', 'text'],
  ['SMTP_SECURE', 'email.smtp.secure', 'flag'],
  ['MAIL_FROM', 'email.from', 'text'],
  ['MAIL_FROM_NAME', 'email.fromName', 'text'],
  ['OTP_LENGTH', 'otp.length', 'number'],
  ['OTP_EXPIRY_SECONDS', 'otp.expirySeconds', 'number'],
  ['OTP_MAX_ATTEMPTS', 'otp.maxAttempts', 'number'],
  ['OTP_RESEND_COOLDOWN_SECONDS', 'otp.resendCooldownSeconds', 'number'],
  ['OTP_LIVE_CODES', 'otp.liveCodes', 'number'],
  ['OTP_KEY_PREFIX', 'otp.keyPrefix', 'text'],
  ['JWT_SECRET', 'jwt.secret', 'list'],
  ['JWT_ALGORITHM', 'jwt.algorithm', 'text'],
  ['JWT_PRIVATE_KEY', 'jwt.privateKey', 'pem'],
  ['JWT_PUBLIC_KEYS', 'jwt.publicKeys', 'pem'],
  ['JWT_ISSUER', 'jwt.issuer', 'text'],
  ['JWT_AUDIENCE', 'jwt.audience', 'text'],
  ['ACCESS_TOKEN_EXPIRE_MINUTES', 'jwt.accessTokenMinutes', 'number'],
  ['REFRESH_TOKEN_EXPIRE_DAYS', 'jwt.refreshTokenDays', 'number'],
  ['SESSION_MAX_DAYS', 'jwt.sessionMaxDays', 'number'],
  ['REFRESH_GRACE_SECONDS', 'jwt.refreshGraceSeconds', 'number'],
  ['BLACKLIST_KEY_PREFIX', 'jwt.blacklistKeyPrefix', 'text'],
  ['SESSION_KEY_PREFIX', 'sessionKeyPrefix', 'text'],
  ['LIMIT_KEY_PREFIX', 'limitKeyPrefix', 'text'],
  ['USER_KEY_PREFIX', 'userKeyPrefix', 'text'],
  ['STORE_TIMEOUT_MS', 'storeTimeoutMs', 'number'],
  ['RECENT_SECONDS', 'recentSeconds', 'number'],
  ['REVOCATION', 'revocation', 'text'],
  ['COOKIE_NAME', 'cookie.name', 'text'],
  ['COOKIE_SECURE', 'cookie.secure', 'flag'],
  ['COOKIE_SAME_SITE', 'cookie.sameSite', 'text'],
  ['COOKIE_DOMAIN', 'cookie.domain', 'text'],
  ['COOKIE_PATH', 'cookie.path', 'text'],
  ['COOKIE_ACCESS_TOKEN', 'cookie.accessToken', 'flag'],
  ['ALLOWED_ORIGINS', 'allowedOrigins', 'list'],
  ['PAGES', 'pages', 'flag'],
  ['PUBLIC_URL', 'publicUrl', 'text'],
  ['EMAIL_LINK', 'email.link', 'flag'],
  ['SIGN_UP', 'signUp', 'text'],
  ['USER_STORE', 'users.store', 'text'],
  ['TOTP', 'totp', 'text'],
  ['FIRST_ADMIN', 'users.firstAdmin', 'text'],
  ['DISABLE_LOCAL_AUTH', 'magicOtp', 'flag'],
];

export type Environment = Record<string, string | undefined>;
export type Tree = Record<string, unknown>;

/** The options, with the variables' values where an option is not given. An empty variable is one that is not set. */
export function withEnvironment(options: Tree, env: Environment): Tree {
  let given = options;
  for (const [name, option, reader] of VARIABLES) {
    const text = env[VARIABLE_PREFIX + name];
    if (text === undefined || text === '' || valueAt(given, option) !== undefined) continue;
    given = withValueAt(given, option.split('.'), readers[reader](text));
  }
  return given;
}

export function valueAt(tree: Tree, path: string): unknown {
  let value: unknown = tree;
  for (const key of path.split('.')) value = (value as Tree | undefined)?.[key];
  return value;
}

/** Copies the groups on the way and nothing else: what was handed over stays as it is. What is no group is left for the schema to refuse. */
function withValueAt(tree: Tree, [key, ...rest]: string[], value: unknown): Tree {
  if (key === undefined) return tree;
  if (rest.length === 0) return { ...tree, [key]: value };
  const group = tree[key] ?? {};
  return isTree(group) ? { ...tree, [key]: withValueAt(group, rest, value) } : tree;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
