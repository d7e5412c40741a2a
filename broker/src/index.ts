export { type Broker, type BrokerOptions, createBroker } from "./broker.ts";
export { type BrokerConfig, readConfig } from "./config.ts";
