import { uploadsContract } from "./uploads.contract.ts";

uploadsContract("folder");
