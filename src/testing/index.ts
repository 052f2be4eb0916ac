export { createTestAuth, type TestAuth, type TestAuthOptions, type TestSignIn } from './create-test-auth.js';
export { describeStore, type DescribeStoreOptions } from './describe-store.js';
export { describeUserStore } from './describe-user-store.js';
export type { Outbox, TestMessage } from './outbox.js';
export type { TestClock } from './test-clock.js';
export type { TestRunner } from './test-runner.js';
