// What the demo adds to the environment, so that it needs nothing but Node. Every EXPRESS_OTP_AUTH_* variable works here
// as it does anywhere. An option wins over its variable, so each is left out where its variable is set.
import { randomBytes } from 'node:crypto';

const isSet = (env, name) => Boolean(env[`EXPRESS_OTP_AUTH_${name}`]);

export function optionsFrom(env, mailCatcher) {
  return {
    ...(!isSet(env, 'REDIS_URL') && { redis: 'memory:' }),
    ...(!isSet(env, 'SMTP_SERVER') && { email: { send: mailCatcher.send } }),
    // Lasts for as long as the demo does. An application needs a secret that survives a restart.
    ...(!isSet(env, 'JWT_SECRET') && { jwt: { secret: randomBytes(32).toString('base64url') } }),
  };
}

/** What the page tells about it. */
export function describeOptions(env) {
  const url = env.EXPRESS_OTP_AUTH_REDIS_URL || 'memory:';
  return {
    store: url === 'memory:' ? 'memory' : 'redis',
    mail: isSet(env, 'SMTP_SERVER') ? 'smtp' : 'caught',
  };
}
