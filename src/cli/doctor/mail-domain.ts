import { Resolver } from 'node:dns/promises';
import type { Check, Finding } from './check.js';

/** Domains that are for documents and tests (RFC 2606, RFC 6761, RFC 6762). */
const RESERVED = /(?:^|\.)(?:localhost|test|invalid|local|example|example\.(?:com|net|org))$/;

/** Whether receivers can tell that mail of the sender's domain is genuine. */
export const mailDomainCheck: Check = {
  name: 'mail-domain',
  title: 'Sender’s domain',
  reads: ['email.from', 'email.smtp.username', 'magicOtp'],
  lateIs: 'skipped',
  async run({ settings, production, dkimSelectors, dnsServers, signal }) {
    if (settings.magicOtp) return [{ level: 'skipped', message: 'Nothing is sent with magic codes.' }];
    const domain = settings.email.from.split('@')[1] ?? '';
    if (RESERVED.test(domain))
      return [
        {
          level: production ? 'error' : 'note',
          message: `Messages come from an address at ${domain}, which the world’s mail servers refuse.`,
          remedy: 'Set EXPRESS_OTP_AUTH_MAIL_FROM to an address of a domain of yours.',
        },
      ];
    const resolver = new Resolver({ timeout: 2000, tries: 2 });
    if (dnsServers.length > 0) resolver.setServers(dnsServers);
    signal.addEventListener('abort', () => resolver.cancel());
    const records = (name: string) => textRecords(resolver, name);
    try {
      const unknown = await unlessKnown(domain, resolver);
      if (unknown !== undefined) return [unknown];
      return [
        ...(await spf(domain, records)),
        ...(await dmarc(domain, records)),
        ...(await dkim(domain, records, dkimSelectors)),
      ];
    } catch {
      return [silence(domain)];
    }
  },
};

function silence(domain: string): Finding {
  return { level: 'skipped', message: `DNS does not answer here, so SPF, DKIM and DMARC of ${domain} are unknown.` };
}

/** On machines without the internet, some resolvers say of every name that there is none: then of the top level, too. */
async function unlessKnown(domain: string, resolver: Resolver): Promise<Finding | undefined> {
  if (await exists(() => resolver.resolveTxt(domain))) return undefined;
  const topLevel = domain.split('.').at(-1) as string;
  if (!(await exists(() => resolver.resolveNs(topLevel)))) return silence(domain);
  return { level: 'error', message: `There is no domain ${domain}.`, remedy: 'Mend EXPRESS_OTP_AUTH_MAIL_FROM.' };
}

/** A name may exist and have no such records (RFC 2308 §2). */
async function exists(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENODATA') return true;
    if (code === 'ENOTFOUND') return false;
    throw error;
  }
}

type Records = (name: string) => Promise<string[]>;

/** None where the name has none; rejects where nobody knows. */
async function textRecords(resolver: Resolver, name: string): Promise<string[]> {
  try {
    return (await resolver.resolveTxt(name)).map((parts) => parts.join(''));
  } catch (error) {
    if (['ENOTFOUND', 'ENODATA'].includes((error as { code?: string }).code ?? '')) return [];
    throw error;
  }
}

/** RFC 7208 */
async function spf(domain: string, records: Records): Promise<Finding[]> {
  const found = (await records(domain)).filter((text) => /^v=spf1(?: |$)/i.test(text));
  const [policy] = found;
  if (policy === undefined)
    return [
      {
        level: 'warning',
        message: `${domain} has no SPF record: receivers cannot tell who may send for it.`,
        remedy: `A TXT record for ${domain}, such as "v=spf1 include:your-provider.example -all".`,
      },
    ];
  if (found.length > 1)
    return [
      {
        level: 'error',
        message: `${domain} has ${found.length} SPF records, so that none counts.`,
        remedy: 'Make one of them.',
      },
    ];
  if (/\+?\ball\b/.test(policy) && !/[-~?]all\b/.test(policy))
    return [
      {
        level: 'error',
        message: `The SPF record of ${domain} lets everybody send for it (+all).`,
        remedy: 'End it with -all or ~all.',
      },
    ];
  return [{ level: 'ok', message: `${domain} has an SPF record.` }];
}

/** RFC 7489 §6.6.3: of the domain itself, or of one above it. */
async function dmarc(domain: string, records: Records): Promise<Finding[]> {
  const labels = domain.split('.');
  for (let first = 0; first <= labels.length - 2; first += 1) {
    const name = labels.slice(first).join('.');
    const policy = (await records(`_dmarc.${name}`)).find((text) => /^v=DMARC1\s*;/i.test(text));
    if (policy === undefined) continue;
    if (/;\s*p=none\b/i.test(policy))
      return [
        {
          level: 'note',
          message: `DMARC of ${name} only watches (p=none): forged messages are delivered, too.`,
          remedy: 'Go on to p=quarantine when the reports are clean.',
        },
      ];
    return [{ level: 'ok', message: `${name} has a DMARC policy.` }];
  }
  return [
    {
      level: 'warning',
      message: `${domain} has no DMARC record; large providers refuse or hide mail without one.`,
      remedy: `A TXT record for _dmarc.${domain}, such as "v=DMARC1; p=none; rua=mailto:you@${domain}", to begin with.`,
    },
  ];
}

/** RFC 6376 §3.6.1: a key can be found by its selector alone. */
async function dkim(domain: string, records: Records, selectors: readonly string[]): Promise<Finding[]> {
  if (selectors.length === 0)
    return [{ level: 'skipped', message: 'DKIM is looked up with --dkim-selector; your provider says which it uses.' }];
  return Promise.all(
    selectors.map(async (selector): Promise<Finding> => {
      const name = `${selector}._domainkey.${domain}`;
      const key = (await records(name)).find((text) => /(?:^|;)\s*p=/i.test(text));
      if (key === undefined)
        return {
          level: 'warning',
          message: `There is no DKIM key at ${name}.`,
          remedy: 'Publish the record that your provider shows.',
        };
      return /(?:^|;)\s*p=\s*(?:;|$)/i.test(key)
        ? {
            level: 'error',
            message: `The DKIM key at ${name} is revoked (empty p=).`,
            remedy: 'Publish the present key.',
          }
        : { level: 'ok', message: `There is a DKIM key at ${name}.` };
    }),
  );
}
