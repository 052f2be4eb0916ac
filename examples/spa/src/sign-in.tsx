import type { OtpClientError } from 'express-otp-auth/client';
import { useState } from 'react';
import { client } from './auth';

type Step = { name: 'address' } | { name: 'code'; email: string } | { name: 'second factor'; mfaToken: string };

/** What is said of an error: `code` tells which one it is. */
function explain(error: OtpClientError): string {
  switch (error.code) {
    case 'invalid_otp':
    case 'invalid_totp':
      return 'This code is wrong, or no longer valid.';
    case 'rate_limited':
      return `Try again in ${error.retryAfter} seconds.`;
    case 'network_error':
      return 'The server cannot be reached. Are you online?';
    default:
      return error.message;
  }
}

export function SignIn() {
  const [step, setStep] = useState<Step>({ name: 'address' });
  const [message, setMessage] = useState('');

  async function submit(form: FormData) {
    const text = String(form.get('text')).trim();
    setMessage('');
    if (step.name === 'address') {
      const { error } = await client.requestOtp({ email: text });
      if (error) return setMessage(explain(error));
      return setStep({ name: 'code', email: text });
    }
    const { error } =
      step.name === 'code'
        ? await client.verifyOtp({ email: step.email, otp: text })
        : await client.verifyTotp({ mfaToken: step.mfaToken, code: text });
    // Without an error there is a user now, and this form is gone.
    if (error?.code === 'mfa_required') setStep({ name: 'second factor', mfaToken: error.mfaToken });
    else if (error) setMessage(explain(error));
  }

  const labels = { address: 'E-mail address', code: 'Code from the e-mail', 'second factor': 'Code from the app' };
  return (
    <form action={submit} key={step.name}>
      <label>
        {labels[step.name]}{' '}
        {step.name === 'address' ? (
          <input name="text" type="email" autoComplete="email" required autoFocus />
        ) : (
          <input name="text" inputMode="numeric" autoComplete="one-time-code" required autoFocus />
        )}
      </label>{' '}
      <button>Go on</button>
      <p role="alert">{message}</p>
    </form>
  );
}
