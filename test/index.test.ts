import * as otpAuthPackage from '../src/index.js';

it('exports the factory, the error, and the makers of stores and channels', () => {
  expect(Object.keys(otpAuthPackage).sort()).toEqual([
    'OtpAuthError',
    'emailChannel',
    'isOtpAuthError',
    'memoryStore',
    'memoryUserStore',
    'otpAuth',
    'redisStore',
    'redisUserStore',
    'smsChannel',
  ]);
});
