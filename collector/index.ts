/** The package's `livetag/collector`: a collector to start or to mount. */
export { ConfigError, type Options } from './config.ts'
export { type Collector, createCollector } from './server.ts'
