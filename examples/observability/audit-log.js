/** What an auditor asks about, and how loudly it is told. */
const LEVELS = {
  'otp.requested': 'info',
  'otp.delivery_failed': 'error',
  'otp.verified': 'info',
  'otp.rejected': 'warn',
  'access.refused': 'warn',
  'limit.hit': 'warn',
  'sms.paused': 'error',
  'session.started': 'info',
  'session.ended': 'info',
  'session.reuse_detected': 'error',
  'user.created': 'info',
  'user.updated': 'info',
  'user.deleted': 'info',
  'totp.enabled': 'info',
  'totp.disabled': 'warn',
  'totp.rejected': 'warn',
  'recovery_code.used': 'warn',
};

/**
 * Writes a line for each event. Addresses of people come masked (`j***@example.com`), and no event holds a code or a
 * token; `ip` is personal data all the same, so keep these lines only as long as you have to.
 *
 * @param {import('express-otp-auth').OtpAuthEvents} events
 * @param {import('pino').Logger} logger
 */
export function writeAuditLog(events, logger) {
  for (const [event, level] of Object.entries(LEVELS)) {
    events.on(event, ({ at, userId, ...details }) => {
      const line = { event, at: new Date(at).toISOString(), ...details };
      logger[level](isAddress(userId) ? line : { ...line, userId }, event);
    });
  }
}

/** Without `users.store`, a user's id is the whole e-mail address or phone number; it is there masked as `identifier`. */
function isAddress(userId = '') {
  return /@|^\+/.test(userId);
}
