import { memoryUserStore } from '../../src/stores/memory/memory-user-store.js';
import { describeUserStore } from '../../src/testing/describe-user-store.js';

describeUserStore('memoryUserStore', () => memoryUserStore());
