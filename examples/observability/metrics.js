import { Counter, Gauge } from 'prom-client';

const EVENTS = [
  'otp.requested',
  'otp.sent',
  'otp.delivery_failed',
  'otp.verified',
  'otp.rejected',
  'limit.hit',
  'sms.paused',
  'session.started',
  'session.refreshed',
  'session.reuse_detected',
  'session.ended',
  'totp.rejected',
  'recovery_code.used',
];

/**
 * Counts events. A label has few values: never an identifier, an address or an id.
 *
 * @param {import('express-otp-auth').OtpAuth} auth
 * @param {import('prom-client').Registry} registry
 */
export function countEvents(auth, registry) {
  const events = new Counter({
    name: 'otp_auth_events_total',
    help: 'What happened, by event, and by reason or limit where there is one',
    labelNames: ['event', 'detail'],
    registers: [registry],
  });
  for (const event of EVENTS) {
    auth.events.on(event, ({ reason, limit }) => events.inc({ event, detail: reason ?? limit ?? '' }));
  }

  new Gauge({
    name: 'otp_auth_store_up',
    help: 'Whether the store answers',
    registers: [registry],
    async collect() {
      const { store } = await auth.health();
      this.set(store.ok ? 1 : 0);
    },
  });
}
