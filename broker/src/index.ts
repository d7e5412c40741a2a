export { type BrokerConfig, readConfig } from "./config.ts";
export { type Broker, type BrokerOptions, createBroker } from "./startup/broker.ts";
