import { z } from "zod";

// Before any schema is made: to compile one takes longer than to check the few values that a command reads.
z.config({ jitless: true });
