// Code generated from openapi/service.yaml by scripts/generate.mjs. DO NOT EDIT.

export interface paths {
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check liveness
         * @description Succeeds while the process serves requests. It checks nothing else.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check readiness
         * @description Checks the database. A server that is stopping is not ready.
         */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi/{name}": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description The name of a contract and an extension, as in muninx.yaml.
                 * @example muninx.yaml
                 */
                name: components["parameters"]["SpecName"];
            };
            cookie?: never;
        };
        /**
         * Get a published contract
         * @description The contract of a dialect, in YAML or JSON by its extension.
         */
        get: operations["getSpec"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        /**
         * Get the reference of all contracts
         * @description A page that shows the published contracts and can call their operations. It loads nothing from other origins.
         */
        get: operations["getReference"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs/{file}": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /**
                 * @description The encodings that the caller accepts (RFC 9110 section 12.5.3).
                 * @example gzip
                 */
                "Accept-Encoding"?: components["parameters"]["AcceptEncoding"];
            };
            path: {
                /**
                 * @description The name of a file that the page loads.
                 * @example reference.js
                 */
                file: string;
            };
            cookie?: never;
        };
        /**
         * Get a file of the reference
         * @description A script, a style sheet or a licence of the reference.
         */
        get: operations["getReferenceFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/introspect": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Introspect a token
         * @description Tells whether a token is valid now, and whose it is (RFC 7662). An invalid token, or one that the caller may not see, is not active. For admins, introspectors and account tokens that an admin has permitted to introspect.
         */
        post: operations["introspectToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/introspect/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Introspect many tokens
         * @description Introspects up to 100 tokens. Results are in the same order.
         */
        post: operations["introspectTokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/verify": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Check the request of a gateway
         * @description Checks the Authorization header of the request itself, in the form of any dialect. It accepts every method, and every path below /verify, and ignores the body, so that a gateway can forward any request. A query below /verify belongs to the original request and is ignored, unless only slashes and dots follow and it has one of these parameters. The query of /verify itself may have no other parameters.
         */
        get: operations["verifyRequest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public keys
         * @description The keys to verify apitoken JWTs (RFC 7517).
         */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/statuslists/{list}": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /**
                 * @description The encodings that the caller accepts (RFC 9110 section 12.5.3).
                 * @example gzip
                 */
                "Accept-Encoding"?: components["parameters"]["AcceptEncoding"];
            };
            path: {
                /**
                 * @description The number of a status list.
                 * @example 1
                 */
                list: components["parameters"]["StatusListNumber"];
            };
            cookie?: never;
        };
        /**
         * Get a status list
         * @description The status of apitoken JWTs, for services that check them offline (draft-ietf-oauth-status-list). The claim `status` of a JWT has its list and its index there. The list is signed with one of the public keys and has two bits for each token: 0 is valid, 1 is permanently invalid, 2 is suspended. It does not show expiry.
         */
        get: operations["getStatusList"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the caller
         * @description Shows the owner, the token and the expiry of the credential.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description Lists users by ascending id.
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * Create a user
         * @description Registers a user of an account. `listAccounts` returns account ids.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        /**
         * Get a user
         * @description Returns a user.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change a user
         * @description Changes the role or the home account of a user. The user's tokens get the new permissions at once. The last enabled
         *     admin must stay admin.
         */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/service/users/{id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable a user
         * @description Stops the tokens of a user at once. The last enabled admin must stay enabled. Tokens that the user created for other
         *     owners, directly or through those tokens, keep working and are listed. With `created=true` those of accounts and
         *     environments are also suspended, so that only an admin can activate them; users cannot do that to themselves.
         */
        post: operations["disableUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/users/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable a user
         * @description Lets a disabled user and its tokens work again.
         */
        post: operations["enableUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/users/{id}/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Create a token for a user
         * @description Creates a muninx token for a user, such as the first credential of a user without an OIDC issuer. It expires no later than the credential of the admin who creates it.
         */
        post: operations["createUserToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts
         * @description Lists accounts by ascending id.
         */
        get: operations["listAccounts"];
        put?: never;
        /**
         * Create an account
         * @description Registers an account.
         */
        post: operations["createAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        /**
         * Get an account
         * @description Returns an account.
         */
        get: operations["getAccount"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/accounts/{id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable an account
         * @description Stops the apitoken tokens of an account at once.
         */
        post: operations["disableAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/accounts/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable an account
         * @description Lets a disabled account and its tokens work again.
         */
        post: operations["enableAccount"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/environments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List environments
         * @description Lists environments by ascending id.
         */
        get: operations["listEnvironments"];
        put?: never;
        /**
         * Create an environment
         * @description Registers an environment of an account. `listAccounts` returns account ids.
         */
        post: operations["createEnvironment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/environments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        /**
         * Get an environment
         * @description Returns an environment.
         */
        get: operations["getEnvironment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/environments/{id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Disable an environment
         * @description Stops the tokens of an environment at once.
         */
        post: operations["disableEnvironment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/environments/{id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable an environment
         * @description Lets a disabled environment and its tokens work again.
         */
        post: operations["enableEnvironment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tokens of all dialects
         * @description Lists tokens of all dialects, newest first, without secrets: to admins all of them, to others those of the caller's user and account.
         */
        get: operations["listServiceTokens"];
        put?: never;
        /**
         * Create a token of any dialect
         * @description Creates a token of the caller's user, or of an account that the caller uses, by the rules of its dialect: the defaults, limits and rules for names and expiries are the same as in that contract.
         */
        post: operations["createServiceToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        /**
         * Get a token of any dialect
         * @description Returns a token without its secret. To others than admins, the tokens of others do not exist.
         */
        get: operations["getServiceToken"];
        put?: never;
        post?: never;
        /**
         * Delete a token of any dialect
         * @description Removes a token. An apitoken token must be revoked or expired first.
         */
        delete: operations["deleteServiceToken"];
        options?: never;
        head?: never;
        /**
         * Edit a token of any dialect
         * @description Changes the name of a user's token, brings its expiry forward, or lets a token rotate itself. What cannot be changed of a token of the dialect is an invalid member.
         */
        patch: operations["updateServiceToken"];
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Rotate the secret of a token
         * @description Gives an active token another secret under the same id. The secret so far works until the overlap is over; both are one token, so that whatever stops it stops both. While an earlier secret still works, only a rotation without overlap is possible, which stops both secrets so far. A token may rotate itself only if its owner allowed that (`self_rotation`).
         */
        post: operations["rotateServiceToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/rotation/finish": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Finish a rotation
         * @description Stops the secret before the current one now, instead of when the overlap is over. `previous_last_used_at` says whether somebody still uses it.
         */
        post: operations["finishServiceTokenRotation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/rotation/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a rotation
         * @description Stops the current secret, while the one before it still works, which takes its place again.
         */
        post: operations["cancelServiceTokenRotation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/activate": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Activate a token of any dialect
         * @description Makes a suspended token work again.
         */
        post: operations["activateServiceToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/suspend": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Suspend a token of any dialect
         * @description Stops an active token until an admin activates it.
         */
        post: operations["suspendServiceToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Revoke a token of any dialect
         * @description Stops a token permanently.
         */
        post: operations["revokeServiceToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/allow-introspection": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Allow a token to introspect
         * @description Lets an apitoken token introspect the tokens of its account.
         */
        post: operations["allowIntrospection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/tokens/{dialect}/{id}/forbid-introspection": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forbid a token to introspect
         * @description Withdraws the permission to introspect.
         */
        post: operations["forbidIntrospection"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List events
         * @description Lists what was changed, and uses of credentials that were refused, newest first. An event is listed as soon as the change that it describes is made. Events never hold a secret.
         */
        get: operations["listAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export events
         * @description Streams events, oldest first, one JSON object a line, in the form whose SHA-256 is in the log (RFC 6962: the hash of a line, without its line break, is that of a leaf). An export that breaks off can be continued with `after`.
         */
        get: operations["exportAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/audit/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the last checkpoint
         * @description The signed size and root of the log of events (C2SP tlog-checkpoint). An event is covered by one a few seconds after it was stored. Whoever keeps a checkpoint can tell later that nothing before it was changed or cut off.
         */
        get: operations["getAuditCheckpoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/audit/inclusion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prove that an event is in the log
         * @description The inclusion proof (RFC 6962 section 2.1.1) of an event in the log of the last checkpoint.
         */
        get: operations["proveAuditEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/service/audit/consistency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Prove that the log was only extended
         * @description The consistency proof (RFC 6962 section 2.1.2) between an earlier size of the log and the last checkpoint.
         */
        get: operations["proveAuditLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A server that works. */
        Health: {
            /**
             * @description Always ok.
             * @enum {string}
             */
            status: "ok";
        };
        /** @description What to introspect (RFC 7662 section 2.1). */
        IntrospectionRequest: {
            /** @description The token. */
            token: string;
            /** @description A hint, which is ignored. */
            token_type_hint?: string;
        };
        /** @description What to introspect. */
        IntrospectionBatch: {
            /** @description The tokens. */
            tokens: string[];
        };
        /** @description A verdict (RFC 7662 section 2.2). If it is not active, it has no other member. */
        Introspection: {
            /** @description Whether the token works now. */
            active: boolean;
            /** @description The user's subject, else the environment's id, else the account's. */
            sub?: string;
            /** @description The name of the user. */
            username?: string;
            /** @description The word user for a user's token, else its token_scope. */
            scope?: string;
            /** @description Always Bearer. */
            token_type?: string;
            /**
             * Format: int64
             * @description When the token expires, in seconds since 1970.
             */
            exp?: number;
            /**
             * Format: int64
             * @description When it was created.
             */
            iat?: number;
            /**
             * Format: int64
             * @description When it becomes valid.
             */
            nbf?: number;
            /** @description This server. */
            iss?: string;
            /** @description The id of the token in its dialect. */
            jti?: string;
            /** @description The account of the token, or the home account of its user. */
            account_id?: string;
            /** @description The environment that it is bound to. */
            environment_id?: string;
            /**
             * @description Its scope.
             * @enum {string}
             */
            token_scope?: "user" | "account" | "environment";
            /**
             * @description The dialect of the token.
             * @enum {string}
             */
            dialect?: "muninx" | "apitoken" | "unleash";
        };
        /** @description Verdicts in the order of the tokens. */
        IntrospectionResults: {
            /** @description The verdicts. */
            results: components["schemas"]["Introspection"][];
        };
        /** @description A JWT of the type statuslist+jwt. */
        StatusListToken: string;
        /** @description Public keys (RFC 7517 section 5). */
        KeySet: {
            /** @description The keys, starting with the active one. */
            keys: components["schemas"]["PublicKey"][];
        };
        /** @description A public key (RFC 7518 section 6.2). */
        PublicKey: {
            /**
             * @description The family of the algorithm.
             * @enum {string}
             */
            kty: "EC";
            /**
             * @description The curve.
             * @enum {string}
             */
            crv: "P-256";
            /**
             * @description The algorithm.
             * @enum {string}
             */
            alg: "ES256";
            /**
             * @description The use of the key.
             * @enum {string}
             */
            use: "sig";
            /** @description Identifies the key (RFC 7638). */
            kid: string;
            /** @description The coordinate. */
            x: string;
            /** @description The coordinate. */
            y: string;
        };
        /** @description The caller. */
        Me: {
            user: components["schemas"]["CallingUser"];
            account: components["schemas"]["Account"];
            /**
             * @description What the user may do; null without a user.
             * @enum {string|null}
             */
            role: "admin" | "introspector" | "member" | null;
            token: components["schemas"]["CallingToken"];
            /**
             * @description The scope of the credential.
             * @enum {string}
             */
            token_scope: "user" | "account" | "environment";
            /** @description The environment that the credential is bound to; null if none. */
            environment_id: string | null;
            /**
             * Format: date-time
             * @description When the credential expires; null if never.
             */
            expires_at: string | null;
        };
        /** @description The user of the credential; null if it belongs to an account. */
        CallingUser: {
            /**
             * Format: int64
             * @description Identifies the user.
             */
            id: number;
            /** @description Identifies the user in members such as created_by_admin_user_id. */
            admin_user_id: string;
            /** @description The OIDC issuer of the user; null for a local user. */
            issuer: string | null;
            /** @description The subject, unique per issuer. */
            subject: string;
            /** @description The name of the user. */
            name: string;
            /**
             * @description What the user may do.
             * @enum {string}
             */
            role: "admin" | "introspector" | "member";
            /** @description The home account. */
            account_id: string;
            /** @description Whether it is disabled. */
            disabled: boolean;
            /**
             * Format: date-time
             * @description When it was registered.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        } | null;
        /** @description The token used as the credential; null for a JWT of an OIDC issuer. */
        CallingToken: {
            /**
             * @description The dialect of the token.
             * @enum {string}
             */
            dialect: "muninx" | "apitoken" | "unleash";
            /** @description The id of the token in its dialect. */
            id: string;
        } | null;
        /** @description A user to register. */
        UserDraft: {
            /** @description The OIDC issuer of the user; null or missing for a local user. */
            issuer?: string | null;
            /** @description The subject, unique per issuer. The rule for characters of names applies. */
            subject: string;
            /** @description The name of the user, without control characters and without those that override or isolate the direction of text (U+202A to U+202E, U+2066 to U+2069). */
            name: string;
            /**
             * @description What the user may do.
             * @enum {string}
             */
            role: "admin" | "introspector" | "member";
            /** @description The home account. */
            account_id: string;
        };
        /** @description A user. */
        User: {
            /**
             * Format: int64
             * @description Identifies the user.
             */
            id: number;
            /** @description Identifies the user in members such as created_by_admin_user_id. */
            admin_user_id: string;
            /** @description The OIDC issuer of the user; null for a local user. */
            issuer: string | null;
            /** @description The subject, unique per issuer. */
            subject: string;
            /** @description The name of the user. */
            name: string;
            /**
             * @description What the user may do.
             * @enum {string}
             */
            role: "admin" | "introspector" | "member";
            /** @description The home account. */
            account_id: string;
            /** @description Whether it is disabled. */
            disabled: boolean;
            /**
             * Format: date-time
             * @description When it was registered.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
        };
        /** @description Changes to a user. Missing members stay unchanged. */
        UserChange: {
            /**
             * @description The new role.
             * @enum {string}
             */
            role?: "admin" | "introspector" | "member";
            /** @description The new home account. */
            account_id?: string;
        };
        /** @description A disabled user, with the tokens that the user created for other owners. */
        DisabledUser: {
            /**
             * Format: int64
             * @description Identifies the user.
             */
            id: number;
            /** @description Identifies the user in members such as created_by_admin_user_id. */
            admin_user_id: string;
            /** @description The OIDC issuer of the user; null for a local user. */
            issuer: string | null;
            /** @description The subject, unique per issuer. */
            subject: string;
            /** @description The name of the user. */
            name: string;
            /**
             * @description What the user may do.
             * @enum {string}
             */
            role: "admin" | "introspector" | "member";
            /** @description The home account. */
            account_id: string;
            /** @description Whether it is disabled. */
            disabled: boolean;
            /**
             * Format: date-time
             * @description When it was registered.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
            /** @description The newest hundred tokens that the user created, directly or through those tokens, except the user's own. */
            created_tokens: components["schemas"]["ServiceToken"][];
            /** @description The cursor of `GET /service/tokens` with `created_by_user_id` for the rest, the user's own among it; null if there is none. */
            created_tokens_next_cursor: string | null;
        };
        /** @description A token for a user. */
        UserTokenDraft: {
            /** @description A name for the token, without control characters and without those that override or isolate the direction of text (U+202A to U+202E, U+2066 to U+2069). */
            name: string;
            /**
             * Format: date-time
             * @description When the token expires; null or missing for the default.
             */
            expires_at?: string | null;
        };
        /** @description A new token with its secret. */
        UserToken: {
            /**
             * @description The dialect of the token.
             * @enum {string}
             */
            dialect: "muninx";
            /** @description The id of the token in its dialect. */
            id: string;
            /** @description Its name. */
            name: string;
            /** @description The raw token. No other response contains it. */
            token: string;
            /**
             * Format: int64
             * @description The user who owns it.
             */
            user_id: number;
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it expires; null if never.
             */
            expires_at: string | null;
        };
        /** @description An account to register. */
        AccountDraft: {
            /** @description The name of the account, without control characters and without those that override or isolate the direction of text (U+202A to U+202E, U+2066 to U+2069). */
            name: string;
        };
        /** @description An account. */
        Account: {
            /** @description Identifies the account. */
            id: string;
            /** @description The name of the account. */
            name: string;
            /** @description Whether it is disabled. */
            disabled: boolean;
            /**
             * Format: date-time
             * @description When it was registered.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last disabled or enabled.
             */
            updated_at: string;
        };
        /** @description An environment to register. */
        EnvironmentDraft: {
            /** @description The name of the environment, without control characters and without those that override or isolate the direction of text (U+202A to U+202E, U+2066 to U+2069). */
            name: string;
            /** @description The account that it belongs to. */
            account_id: string;
        };
        /** @description An environment. */
        Environment: {
            /** @description Identifies the environment. */
            id: string;
            /** @description The account that it belongs to. */
            account_id: string;
            /** @description The name of the environment. */
            name: string;
            /** @description Whether it is disabled. */
            disabled: boolean;
            /**
             * Format: date-time
             * @description When it was registered.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last disabled or enabled.
             */
            updated_at: string;
        };
        /** @description A token of any dialect, without its secret. */
        ServiceToken: {
            /**
             * @description The dialect of the token.
             * @enum {string}
             */
            dialect: "muninx" | "apitoken" | "unleash";
            /** @description The id of the token in its dialect. */
            id: string;
            /** @description Its name or description; null if it has none. */
            name: string | null;
            /**
             * @description Its scope.
             * @enum {string}
             */
            token_scope: "user" | "account" | "environment";
            /**
             * @description Its state.
             * @enum {string}
             */
            status: "active" | "suspended" | "revoked" | "expired";
            /**
             * Format: int64
             * @description The user who owns it; null if an account does.
             */
            user_id: number | null;
            /** @description The account that owns it; null if a user does. */
            account_id: string | null;
            /** @description The environment that it is bound to; null if none. */
            environment_id: string | null;
            /**
             * Format: int64
             * @description The user who created it; null if an account's token did.
             */
            created_by_user_id: number | null;
            /** @description Whether only an admin can activate it. */
            suspended_by_admin: boolean;
            /** @description Whether an admin allowed it to introspect the tokens of its account. */
            introspector: boolean;
            /** @description Whether the token may rotate itself. */
            self_rotation: boolean;
            /** @description Whether the token is usable now. */
            usable: boolean;
            /**
             * @description Why the token is not usable although its status is active; null otherwise.
             * @enum {string|null}
             */
            because: "user_disabled" | "account_disabled" | "environment_disabled" | "key_retired" | null;
            /** @description The kid of the key that signed its secret; null if none did or if it was not recorded. */
            key: string | null;
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
            /**
             * Format: date-time
             * @description When it expires; null if never.
             */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description When it was last used; null if never.
             */
            last_used_at: string | null;
            /**
             * Format: date-time
             * @description When its secret took the place of another one; null if it is the first.
             */
            rotated_at: string | null;
            /**
             * Format: date-time
             * @description Until when the secret before the current one works, or worked; null if there is none.
             */
            previous_ends_at: string | null;
            /**
             * Format: date-time
             * @description When the secret before the current one was last used; null if never or if there is none.
             */
            previous_last_used_at: string | null;
        };
        /** @description A token of any dialect with its secret. */
        IssuedServiceToken: {
            /**
             * @description The dialect of the token.
             * @enum {string}
             */
            dialect: "muninx" | "apitoken" | "unleash";
            /** @description The id of the token in its dialect. */
            id: string;
            /** @description Its name or description; null if it has none. */
            name: string | null;
            /** @description The raw token. No other response contains it. */
            token: string;
            /**
             * @description Its scope.
             * @enum {string}
             */
            token_scope: "user" | "account" | "environment";
            /**
             * @description Its state.
             * @enum {string}
             */
            status: "active" | "suspended" | "revoked" | "expired";
            /**
             * Format: int64
             * @description The user who owns it; null if an account does.
             */
            user_id: number | null;
            /** @description The account that owns it; null if a user does. */
            account_id: string | null;
            /** @description The environment that it is bound to; null if none. */
            environment_id: string | null;
            /**
             * Format: int64
             * @description The user who created it; null if an account's token did.
             */
            created_by_user_id: number | null;
            /** @description Whether only an admin can activate it. */
            suspended_by_admin: boolean;
            /** @description Whether an admin allowed it to introspect the tokens of its account. */
            introspector: boolean;
            /** @description Whether the token may rotate itself. */
            self_rotation: boolean;
            /** @description Whether the token is usable now. */
            usable: boolean;
            /**
             * @description Why the token is not usable although its status is active; null otherwise.
             * @enum {string|null}
             */
            because: "user_disabled" | "account_disabled" | "environment_disabled" | "key_retired" | null;
            /** @description The kid of the key that signed its secret; null if none did or if it was not recorded. */
            key: string | null;
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it last changed.
             */
            updated_at: string;
            /**
             * Format: date-time
             * @description When it expires; null if never.
             */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description When it was last used; null if never.
             */
            last_used_at: string | null;
            /**
             * Format: date-time
             * @description When its secret took the place of another one; null if it is the first.
             */
            rotated_at: string | null;
            /**
             * Format: date-time
             * @description Until when the secret before the current one works, or worked; null if there is none.
             */
            previous_ends_at: string | null;
            /**
             * Format: date-time
             * @description When the secret before the current one was last used; null if never or if there is none.
             */
            previous_last_used_at: string | null;
        };
        /** @description A token of any dialect. Which of the other members are possible or needed depends on it. */
        ServiceTokenDraft: {
            /**
             * @description The dialect of the token.
             * @enum {string}
             */
            dialect: "muninx" | "apitoken" | "unleash";
            /** @description The name or description of a user's token. */
            name?: string;
            /**
             * @description The scope of an account's token.
             * @enum {string}
             */
            token_scope?: "account" | "environment";
            /** @description The account of an account's token; by default that of the environment, or else the caller's. */
            account_id?: string;
            /** @description The environment that an account's token is bound to. */
            environment_id?: string;
            /**
             * Format: date-time
             * @description When the token expires; null or missing for the default of the dialect.
             */
            expires_at?: string | null;
            /** @description Whether the token may rotate itself; otherwise only other credentials may rotate it. */
            self_rotation?: boolean;
        };
        /** @description Changes to a token. Missing members stay unchanged. */
        ServiceTokenChange: {
            /** @description The new name or description of a user's token; where the dialect allows a token without one, the empty text removes it. */
            name?: string;
            /**
             * Format: date-time
             * @description An earlier expiry. It cannot be changed of an apitoken token, whose secret has it inside.
             */
            expires_at?: string;
            /** @description Whether the token may rotate itself. A token cannot change that of itself. */
            self_rotation?: boolean;
        };
        /** @description How a secret takes the place of another one. */
        Rotation: {
            /**
             * @description How long the secret so far works beside the new one, in units of h, m, s, ms, us and ns: from 0s to 168h.
             * @example 1h30m
             */
            overlap: string;
        };
        /** @description A page of users. */
        UserList: {
            /** @description The users. */
            items: components["schemas"]["User"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of accounts. */
        AccountList: {
            /** @description The accounts. */
            items: components["schemas"]["Account"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of environments. */
        EnvironmentList: {
            /** @description The environments. */
            items: components["schemas"]["Environment"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of tokens. */
        ServiceTokenList: {
            /** @description The tokens. */
            items: components["schemas"]["ServiceToken"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A change, or uses of a credential that were refused. Texts are empty where there is nothing to say. */
        AuditEvent: {
            /**
             * Format: int64
             * @description A number that no other event has.
             */
            id: number;
            /**
             * Format: date-time
             * @description When it happened, in milliseconds.
             */
            at: string;
            /** @description Who did it: user:ID or account:ID. */
            actor: string;
            /** @description With what: token:DIALECT/ID, oidc:ISSUER SUBJECT, or database. */
            credential: string;
            /** @description What was done, such as token.create. */
            action: string;
            /** @description To what: token:DIALECT/ID, user:ID, account:ID or environment:ID. */
            object: string;
            /**
             * @description The dialect of the token that is the object; null if the object is no token.
             * @enum {string|null}
             */
            dialect: "muninx" | "apitoken" | "unleash" | null;
            /** @description The address of the client. */
            address: string;
            /** @description The start of the User-Agent of the client. */
            agent: string;
            /** @description The id that the request has in the log of the server. */
            request_id: string;
            /** @description What the members that changed were. */
            before: {
                [key: string]: unknown;
            } | null;
            /** @description What the members that changed are. */
            after: {
                [key: string]: unknown;
            } | null;
        };
        /** @description A page of events. */
        AuditEventList: {
            /** @description The events. */
            items: components["schemas"]["AuditEvent"][];
            /** @description The cursor of the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description Lines of JSON, each an AuditEvent. */
        AuditExport: string;
        /** @description A SHA-256 in base64. */
        AuditHash: string;
        /** @description The last checkpoint of the log. */
        AuditCheckpoint: {
            /**
             * Format: int64
             * @description How many events it covers.
             */
            size: number;
            /** @description The checkpoint as a signed note (C2SP tlog-checkpoint). */
            checkpoint: string;
            /** @description The public key that verifies it, in the form of C2SP signed-note. */
            key: string;
        };
        /** @description A proof that an event is in the log. */
        AuditInclusion: {
            /**
             * Format: int64
             * @description The id of the event.
             */
            event: number;
            /**
             * Format: int64
             * @description Its position in the log, from 0.
             */
            position: number;
            leaf: components["schemas"]["AuditHash"];
            /** @description The audit path, from the leaf to the root. */
            hashes: components["schemas"]["AuditHash"][];
            /**
             * Format: int64
             * @description The size of the log of the checkpoint.
             */
            size: number;
            /** @description The checkpoint whose root follows from leaf and hashes. */
            checkpoint: string;
        };
        /** @description A proof that a later log begins with an earlier one. */
        AuditConsistency: {
            /**
             * Format: int64
             * @description The size of the earlier log.
             */
            from: number;
            /** @description The proof. */
            hashes: components["schemas"]["AuditHash"][];
            /**
             * Format: int64
             * @description The size of the log of the checkpoint.
             */
            size: number;
            /** @description The checkpoint of the later log. */
            checkpoint: string;
        };
        /** @description Problem details (RFC 9457). */
        Problem: {
            /**
             * Format: uri
             * @description Identifies the type of problem.
             */
            type: string;
            /** @description The type of problem in words. */
            title: string;
            /**
             * Format: int32
             * @description The status code of the response.
             */
            status: number;
            /** @description What is wrong in this case. */
            detail: string;
            /**
             * Format: uri
             * @description Identifies this occurrence.
             */
            instance?: string;
            /** @description The X-Request-Id of the response. */
            request_id: string;
            /** @description The error code of RFC 6749 section 5.2; in responses of introspection. */
            error?: string;
            /** @description All errors in the request. */
            errors?: components["schemas"]["Fault"][];
        } & {
            [key: string]: unknown;
        };
        /** @description One error in a request. */
        Fault: {
            /** @description What is required. */
            detail: string;
            /** @description JSON pointer (RFC 6901) to the member of the body. */
            pointer?: string;
            /** @description The name of the query or path parameter. */
            parameter?: string;
        };
    };
    responses: never;
    parameters: {
        /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
        IdempotencyKey: string;
        /**
         * @description The maximum number of entries in a page.
         * @example 20
         */
        Limit: number;
        /** @description The next_cursor of the previous page; the first page if missing. */
        Cursor: string;
        /** @description The required account of the token. */
        WantedAccount: string;
        /** @description The required scope of the token. */
        WantedScope: "user" | "account" | "environment";
        /**
         * @description The number of a status list.
         * @example 1
         */
        StatusListNumber: number;
        /**
         * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
         * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
         */
        IfNoneMatch: string;
        /**
         * @description The encodings that the caller accepts (RFC 9110 section 12.5.3).
         * @example gzip
         */
        AcceptEncoding: string;
        /**
         * @description The name of a contract and an extension, as in muninx.yaml.
         * @example muninx.yaml
         */
        SpecName: string;
        /**
         * @description The id of a user.
         * @example 1
         */
        UserId: number;
        /**
         * @description The id of an account or of an environment.
         * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
         */
        KeyId: string;
        /**
         * @description The id of a token in its dialect.
         * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
         */
        TokenId: string;
        /**
         * @description The dialect of a token.
         * @example muninx
         */
        Dialect: string;
        /** @description Only tokens of this dialect. */
        DialectFilter: "muninx" | "apitoken" | "unleash";
        /** @description Only tokens in this state. */
        StatusFilter: "active" | "suspended" | "revoked" | "expired";
        /** @description Only tokens of this scope. */
        ScopeFilter: "user" | "account" | "environment";
        /** @description Only tokens of this user. */
        UserFilter: number;
        /** @description Only tokens of this account. */
        AccountFilter: string;
        /** @description Only tokens of this environment. */
        EnvironmentFilter: string;
        /** @description Also suspends, as an admin would, the tokens of accounts and environments that the user created. */
        Created: boolean;
        /** @description Only tokens that this user created, directly or through those tokens. */
        CreatorFilter: number;
        /**
         * @description Only events that this one has caused, such as user:1 or account:ID.
         * @example user:1
         */
        ActorFilter: string;
        /**
         * @description Only events about this object, such as token:muninx/ID, user:1, account:ID or environment:ID.
         * @example user:1
         */
        ObjectFilter: string;
        /**
         * @description Only this action, such as token.revoke or credential.refused.
         * @example token.revoke
         */
        ActionFilter: string;
        /**
         * @description Only events at this time or later.
         * @example 2026-11-01T08:00:00Z
         */
        SinceFilter: string;
        /**
         * @description Only events before this time.
         * @example 2026-11-02T08:00:00Z
         */
        UntilFilter: string;
        /**
         * @description Only events after the one with this id.
         * @example 1
         */
        AfterEvent: number;
        /**
         * @description The id of the event.
         * @example 1
         */
        ProvenEvent: number;
        /**
         * @description The earlier size of the log.
         * @example 1
         */
        EarlierSize: number;
        /** @description Only tokens that are usable now, or only those that are not. */
        UsableFilter: boolean;
        /** @description Only tokens signed with the key of this kid. */
        KeyFilter: string;
    };
    requestBodies: never;
    headers: {
        /**
         * @description Identifies the request in the server's log; the client's own value if it was well-formed.
         * @example 7f9c2ba4-e88f-4827-a604-550767d6f1a2
         */
        RequestId: string;
        /**
         * @description The challenge (RFC 6750 section 3). It has an error only if the request had a credential.
         * @example Bearer realm="tokenwright", error="invalid_token"
         */
        Challenge: string;
        /**
         * @description The challenge of a credential with insufficient scope (RFC 6750 section 3.1).
         * @example Bearer realm="tokenwright", error="insufficient_scope"
         */
        ScopeChallenge: string;
        /**
         * @description The limit that was exceeded, and for how many seconds (draft-ietf-httpapi-ratelimit-headers).
         * @example "creates";r=0;t=1
         */
        RateLimit: string;
        /**
         * @description That limit, as a quota and the seconds for which it is given (draft-ietf-httpapi-ratelimit-headers).
         * @example "creates";q=100;w=1
         */
        RateLimitPolicy: string;
        /**
         * @description Seconds to wait before a retry (RFC 9110 section 10.2.3).
         * @example 1
         */
        RetryAfter: number;
        /**
         * @description Always `no-store`.
         * @example no-store
         */
        NoStore: string;
        /**
         * @description Always `*`, since any page may read public data.
         * @example *
         */
        AnyOrigin: string;
        /**
         * @description Identifies this version of the response (RFC 9110 section 8.8.3).
         * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
         */
        EntityTag: string;
        /**
         * @description Always `public, no-cache`, so that caches revalidate the response.
         * @example public, no-cache
         */
        NoCache: string;
        /**
         * @description Always `Accept-Encoding`.
         * @example Accept-Encoding
         */
        VaryEncoding: string;
        /**
         * @description `gzip` if the caller accepts it.
         * @example gzip
         */
        ContentEncoding: "gzip";
        /**
         * @description The id of the token in its dialect.
         * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
         */
        TokenId: string;
        /**
         * @description The user's subject, else the environment's id, else the account's.
         * @example alice
         */
        TokenSubject: string;
        /**
         * @description The scope of the token.
         * @example user
         */
        TokenScope: string;
        /**
         * @description The account of the token, or the home account of its user.
         * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
         */
        TokenAccount: string;
        /**
         * @description The environment that the token is bound to; empty if none.
         * @example
         */
        TokenEnvironment: string;
        /**
         * @description The dialect of the token.
         * @example muninx
         */
        TokenDialect: string;
        /**
         * @description The absolute URL of the new resource.
         * @example http://127.0.0.1:8080/service/users/2
         */
        Location: string;
        /**
         * @description Present and true if the response is that of an earlier request with the same Idempotency-Key.
         * @example true
         */
        Replayed: boolean;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process is running. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server is ready. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Health"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSpec: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description The name of a contract and an extension, as in muninx.yaml.
                 * @example muninx.yaml
                 */
                name: components["parameters"]["SpecName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contract. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    [name: string]: unknown;
                };
                content: {
                    /** @example openapi: 3.0.3 */
                    "application/yaml": string;
                    /**
                     * @example {
                     *       "openapi": "3.0.3"
                     *     }
                     */
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description The caller's copy of the contract is current. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReference: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    "Cache-Control": components["headers"]["NoCache"];
                    /**
                     * @description Restricts what the page loads and calls to this server.
                     * @example default-src 'none'; script-src 'self'; connect-src 'self'
                     */
                    "Content-Security-Policy": string;
                    [name: string]: unknown;
                };
                content: {
                    /** @example <!doctype html> */
                    "text/html": string;
                };
            };
            /** @description The caller's copy of the page is current. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    "Cache-Control": components["headers"]["NoCache"];
                    /**
                     * @description Restricts what the page loads and calls to this server.
                     * @example default-src 'none'; script-src 'self'; connect-src 'self'
                     */
                    "Content-Security-Policy": string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The path or the query is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReferenceFile: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /**
                 * @description The encodings that the caller accepts (RFC 9110 section 12.5.3).
                 * @example gzip
                 */
                "Accept-Encoding"?: components["parameters"]["AcceptEncoding"];
            };
            path: {
                /**
                 * @description The name of a file that the page loads.
                 * @example reference.js
                 */
                file: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    "Cache-Control": components["headers"]["NoCache"];
                    Vary: components["headers"]["VaryEncoding"];
                    "Content-Encoding": components["headers"]["ContentEncoding"];
                    [name: string]: unknown;
                };
                content: {
                    /** @example 'use strict'; */
                    "text/javascript": string;
                    /** @example body { margin: 0; } */
                    "text/css": string;
                    /** @example MIT License */
                    "text/plain": string;
                };
            };
            /** @description The caller's copy of the file is current. */
            304: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    "Cache-Control": components["headers"]["NoCache"];
                    Vary: components["headers"]["VaryEncoding"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The path or the query is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    introspectToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "token": "muninx_4fKq0ZsT1vXy7BwPa9LcNd2RgUe5Hm3Jo6ih"
                 *     }
                 */
                "application/x-www-form-urlencoded": components["schemas"]["IntrospectionRequest"];
            };
        };
        responses: {
            /** @description The verdict. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "active": true,
                     *       "sub": "alice",
                     *       "username": "Alice",
                     *       "scope": "user",
                     *       "token_type": "Bearer",
                     *       "exp": 1798761600,
                     *       "iat": 1767225600,
                     *       "nbf": 1767225600,
                     *       "iss": "https://tokens.example",
                     *       "jti": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "token_scope": "user",
                     *       "dialect": "muninx"
                     *     }
                     */
                    "application/json": components["schemas"]["Introspection"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not introspect tokens. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    introspectTokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "tokens": [
                 *         "muninx_4fKq0ZsT1vXy7BwPa9LcNd2RgUe5Hm3Jo6ih"
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["IntrospectionBatch"];
            };
        };
        responses: {
            /** @description The verdicts. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "results": [
                     *         {
                     *           "active": true,
                     *           "sub": "alice",
                     *           "username": "Alice",
                     *           "scope": "user",
                     *           "token_type": "Bearer",
                     *           "exp": 1798761600,
                     *           "iat": 1767225600,
                     *           "nbf": 1767225600,
                     *           "iss": "https://tokens.example",
                     *           "jti": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *           "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "token_scope": "user",
                     *           "dialect": "muninx"
                     *         },
                     *         {
                     *           "active": false
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["IntrospectionResults"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not introspect tokens. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 2 MiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    verifyRequest: {
        parameters: {
            query?: {
                /** @description The required account of the token. */
                account?: components["parameters"]["WantedAccount"];
                /** @description The required scope of the token. */
                scope?: components["parameters"]["WantedScope"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token is valid. Values are percent-encoded UTF-8; a header that does not apply is empty. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    "X-Token-Id": components["headers"]["TokenId"];
                    "X-Token-Subject": components["headers"]["TokenSubject"];
                    "X-Token-Scope": components["headers"]["TokenScope"];
                    "X-Token-Account": components["headers"]["TokenAccount"];
                    "X-Token-Environment": components["headers"]["TokenEnvironment"];
                    "X-Token-Dialect": components["headers"]["TokenDialect"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The token does not have the requested account or scope. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getKeys: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys. */
            200: {
                headers: {
                    "Access-Control-Allow-Origin": components["headers"]["AnyOrigin"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "keys": [
                     *         {
                     *           "kty": "EC",
                     *           "crv": "P-256",
                     *           "alg": "ES256",
                     *           "use": "sig",
                     *           "kid": "N_tnb89",
                     *           "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                     *           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["KeySet"];
                };
            };
            /** @description The caller's copy of the keys is current. */
            304: {
                headers: {
                    "Access-Control-Allow-Origin": components["headers"]["AnyOrigin"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStatusList: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description Entity tags of the caller's copies (RFC 9110 section 13.1.2).
                 * @example "5f2b51ca2fdc5baa31ec02e002f69aec"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
                /**
                 * @description The encodings that the caller accepts (RFC 9110 section 12.5.3).
                 * @example gzip
                 */
                "Accept-Encoding"?: components["parameters"]["AcceptEncoding"];
            };
            path: {
                /**
                 * @description The number of a status list.
                 * @example 1
                 */
                list: components["parameters"]["StatusListNumber"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The current list. */
            200: {
                headers: {
                    "Access-Control-Allow-Origin": components["headers"]["AnyOrigin"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    "Cache-Control": components["headers"]["NoCache"];
                    Vary: components["headers"]["VaryEncoding"];
                    "Content-Encoding": components["headers"]["ContentEncoding"];
                    [name: string]: unknown;
                };
                content: {
                    /** @example eyJhbGciOiJFUzI1NiIsImtpZCI6Ik5fdG5iODkiLCJ0eXAiOiJzdGF0dXNsaXN0K2p3dCJ9.eyJzdWIiOiJodHRwOi8vMTI3LjAuMC4xOjgwODAvc3RhdHVzbGlzdHMvMSJ9.c2lnbmF0dXJl */
                    "application/statuslist+jwt": components["schemas"]["StatusListToken"];
                };
            };
            /** @description The caller's copy of the list is current. */
            304: {
                headers: {
                    "Access-Control-Allow-Origin": components["headers"]["AnyOrigin"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["EntityTag"];
                    "Cache-Control": components["headers"]["NoCache"];
                    Vary: components["headers"]["VaryEncoding"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Past lists, as requested with `time`, are not kept. */
            501: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "user": {
                     *         "id": 1,
                     *         "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *         "issuer": null,
                     *         "subject": "admin",
                     *         "name": "First admin",
                     *         "role": "admin",
                     *         "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "disabled": false,
                     *         "created_at": "2026-11-01T08:00:00Z",
                     *         "updated_at": "2026-11-01T08:00:00Z"
                     *       },
                     *       "account": {
                     *         "id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *         "name": "default",
                     *         "disabled": false,
                     *         "created_at": "2026-11-01T08:00:00Z",
                     *         "updated_at": "2026-11-01T08:00:00Z"
                     *       },
                     *       "role": "admin",
                     *       "token": {
                     *         "dialect": "muninx",
                     *         "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47"
                     *       },
                     *       "token_scope": "user",
                     *       "environment_id": null,
                     *       "expires_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of users. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": 1,
                     *           "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *           "issuer": null,
                     *           "subject": "admin",
                     *           "name": "First admin",
                     *           "role": "admin",
                     *           "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "disabled": false,
                     *           "created_at": "2026-11-01T08:00:00Z",
                     *           "updated_at": "2026-11-01T08:00:00Z"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["UserList"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "subject": "alice",
                 *       "name": "Alice",
                 *       "role": "member",
                 *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf"
                 *     }
                 */
                "application/json": components["schemas"]["UserDraft"];
            };
        };
        responses: {
            /** @description The user. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *       "issuer": null,
                     *       "subject": "admin",
                     *       "name": "First admin",
                     *       "role": "admin",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *       "issuer": null,
                     *       "subject": "admin",
                     *       "name": "First admin",
                     *       "role": "admin",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "role": "member"
                 *     }
                 */
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description The user as it is now. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *       "issuer": null,
                     *       "subject": "admin",
                     *       "name": "First admin",
                     *       "role": "member",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    disableUser: {
        parameters: {
            query?: {
                /** @description Also suspends, as an admin would, the tokens of accounts and environments that the user created. */
                created?: components["parameters"]["Created"];
            };
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user in its new state, with the tokens that it created. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *       "issuer": null,
                     *       "subject": "admin",
                     *       "name": "First admin",
                     *       "role": "admin",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "disabled": true,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "created_tokens": [
                     *         {
                     *           "dialect": "apitoken",
                     *           "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *           "name": null,
                     *           "token_scope": "account",
                     *           "status": "suspended",
                     *           "user_id": null,
                     *           "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "environment_id": null,
                     *           "created_by_user_id": 1,
                     *           "suspended_by_admin": true,
                     *           "introspector": false,
                     *           "self_rotation": false,
                     *           "usable": false,
                     *           "because": null,
                     *           "key": "kid-1",
                     *           "created_at": "2026-11-01T08:00:00Z",
                     *           "updated_at": "2026-11-01T08:00:00Z",
                     *           "expires_at": "2027-11-01T08:00:00Z",
                     *           "last_used_at": null,
                     *           "rotated_at": null,
                     *           "previous_ends_at": null,
                     *           "previous_last_used_at": null
                     *         }
                     *       ],
                     *       "created_tokens_next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["DisabledUser"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enableUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": 1,
                     *       "admin_user_id": "013xrzp12g3nqk8nh0qrc2b1jfanmvb9",
                     *       "issuer": null,
                     *       "subject": "admin",
                     *       "name": "First admin",
                     *       "role": "admin",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["User"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createUserToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description The id of a user.
                 * @example 1
                 */
                id: components["parameters"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "first credential"
                 *     }
                 */
                "application/json": components["schemas"]["UserTokenDraft"];
            };
        };
        responses: {
            /** @description The token, with its secret. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    "Cache-Control": components["headers"]["NoStore"];
                    "Idempotency-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "muninx",
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "first credential",
                     *       "token": "muninx_4fKq0ZsT1vXy7BwPa9LcNd2RgUe5Hm3Jo6ih",
                     *       "user_id": 2,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["UserToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Idempotency-Key belongs to a request with another body. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAccounts: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accounts. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "name": "default",
                     *           "disabled": false,
                     *           "created_at": "2026-11-01T08:00:00Z",
                     *           "updated_at": "2026-11-01T08:00:00Z"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["AccountList"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createAccount: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "Example Ltd"
                 *     }
                 */
                "application/json": components["schemas"]["AccountDraft"];
            };
        };
        responses: {
            /** @description The account. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "default",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "default",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    disableAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "default",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enableAccount: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "default",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listEnvironments: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of environments. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
                     *           "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "name": "production",
                     *           "disabled": false,
                     *           "created_at": "2026-11-01T08:00:00Z",
                     *           "updated_at": "2026-11-01T08:00:00Z"
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["EnvironmentList"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createEnvironment: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "staging",
                 *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf"
                 *     }
                 */
                "application/json": components["schemas"]["EnvironmentDraft"];
            };
        };
        responses: {
            /** @description The environment. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "production",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getEnvironment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "production",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    disableEnvironment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "production",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    enableEnvironment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The id of an account or of an environment.
                 * @example 013xrzp12g3nqk8ngskn1wtxgka5b0nf
                 */
                id: components["parameters"]["KeyId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The environment in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "013xrzp12g3nqk8nzxvq7jm2arsfg5h1",
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "name": "production",
                     *       "disabled": false,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Environment"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listServiceTokens: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Only tokens of this dialect. */
                dialect?: components["parameters"]["DialectFilter"];
                /** @description Only tokens in this state. */
                status?: components["parameters"]["StatusFilter"];
                /** @description Only tokens of this scope. */
                token_scope?: components["parameters"]["ScopeFilter"];
                /** @description Only tokens of this user. */
                user_id?: components["parameters"]["UserFilter"];
                /** @description Only tokens of this account. */
                account_id?: components["parameters"]["AccountFilter"];
                /** @description Only tokens of this environment. */
                environment_id?: components["parameters"]["EnvironmentFilter"];
                /** @description Only tokens that this user created, directly or through those tokens. */
                created_by_user_id?: components["parameters"]["CreatorFilter"];
                /** @description Only tokens that are usable now, or only those that are not. */
                usable?: components["parameters"]["UsableFilter"];
                /** @description Only tokens signed with the key of this kid. */
                key?: components["parameters"]["KeyFilter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of tokens. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "dialect": "apitoken",
                     *           "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *           "name": null,
                     *           "token_scope": "account",
                     *           "status": "active",
                     *           "user_id": null,
                     *           "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *           "environment_id": null,
                     *           "created_by_user_id": 1,
                     *           "suspended_by_admin": false,
                     *           "introspector": false,
                     *           "self_rotation": false,
                     *           "usable": true,
                     *           "because": null,
                     *           "key": null,
                     *           "created_at": "2026-11-01T08:00:00Z",
                     *           "updated_at": "2026-11-01T08:00:00Z",
                     *           "expires_at": "2027-11-01T08:00:00Z",
                     *           "last_used_at": null,
                     *           "rotated_at": null,
                     *           "previous_ends_at": null,
                     *           "previous_last_used_at": null
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceTokenList"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    createServiceToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "dialect": "muninx",
                 *       "name": "CI token"
                 *     }
                 */
                "application/json": components["schemas"]["ServiceTokenDraft"];
            };
        };
        responses: {
            /** @description The token, with its secret. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    Location: components["headers"]["Location"];
                    "Cache-Control": components["headers"]["NoStore"];
                    "Idempotency-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "muninx",
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token",
                     *       "token": "muninx_4fKq0ZsT1vXy7BwPa9LcNd2RgUe5Hm3Jo6ih",
                     *       "token_scope": "user",
                     *       "status": "active",
                     *       "user_id": 1,
                     *       "account_id": null,
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": null,
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["IssuedServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Idempotency-Key belongs to a request with another body. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getServiceToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "apitoken",
                     *       "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *       "name": null,
                     *       "token_scope": "account",
                     *       "status": "active",
                     *       "user_id": null,
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": "2027-11-01T08:00:00Z",
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteServiceToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token was removed. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    updateServiceToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "name": "CI token of the main branch"
                 *     }
                 */
                "application/json": components["schemas"]["ServiceTokenChange"];
            };
        };
        responses: {
            /** @description The token as it is now. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "muninx",
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token of the main branch",
                     *       "token_scope": "user",
                     *       "status": "active",
                     *       "user_id": 1,
                     *       "account_id": null,
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": null,
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rotateServiceToken: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes it safe to send the request again (draft-ietf-httpapi-idempotency-key-header): for 24 hours the same caller gets the same response for the same key, operation and body, with its secret. 16 to 255 visible ASCII characters; quotes around them are not part of the key. Choose it at random, such as a UUID. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "overlap": "1h"
                 *     }
                 */
                "application/json": components["schemas"]["Rotation"];
            };
        };
        responses: {
            /** @description The token, with its new secret. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    "Idempotency-Replayed": components["headers"]["Replayed"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "muninx",
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token",
                     *       "token": "muninx_9aRq7ZsT1vXy7BwPa9LcNd2RgUe5Hm0t1Wzk",
                     *       "token_scope": "user",
                     *       "status": "active",
                     *       "user_id": 1,
                     *       "account_id": null,
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-08T08:00:00Z",
                     *       "expires_at": null,
                     *       "last_used_at": "2026-11-08T07:59:58Z",
                     *       "rotated_at": "2026-11-08T08:00:00Z",
                     *       "previous_ends_at": "2026-11-08T09:00:00Z",
                     *       "previous_last_used_at": "2026-11-08T07:59:58Z"
                     *     }
                     */
                    "application/json": components["schemas"]["IssuedServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The Idempotency-Key belongs to a request with another body. */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    finishServiceTokenRotation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token as it is now. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "muninx",
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token",
                     *       "token_scope": "user",
                     *       "status": "active",
                     *       "user_id": 1,
                     *       "account_id": null,
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-08T08:00:00Z",
                     *       "expires_at": null,
                     *       "last_used_at": "2026-11-08T07:59:58Z",
                     *       "rotated_at": "2026-11-08T08:00:00Z",
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelServiceTokenRotation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token as it is now. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "muninx",
                     *       "id": "019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47",
                     *       "name": "CI token",
                     *       "token_scope": "user",
                     *       "status": "active",
                     *       "user_id": 1,
                     *       "account_id": null,
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-08T08:00:00Z",
                     *       "expires_at": null,
                     *       "last_used_at": "2026-11-08T07:59:58Z",
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller may not do this. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    activateServiceToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "apitoken",
                     *       "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *       "name": null,
                     *       "token_scope": "account",
                     *       "status": "active",
                     *       "user_id": null,
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": "2027-11-01T08:00:00Z",
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    suspendServiceToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "apitoken",
                     *       "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *       "name": null,
                     *       "token_scope": "account",
                     *       "status": "active",
                     *       "user_id": null,
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": "2027-11-01T08:00:00Z",
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    revokeServiceToken: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "apitoken",
                     *       "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *       "name": null,
                     *       "token_scope": "account",
                     *       "status": "active",
                     *       "user_id": null,
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": "2027-11-01T08:00:00Z",
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    allowIntrospection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "apitoken",
                     *       "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *       "name": null,
                     *       "token_scope": "account",
                     *       "status": "active",
                     *       "user_id": null,
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": true,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": "2027-11-01T08:00:00Z",
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forbidIntrospection: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The dialect of a token.
                 * @example muninx
                 */
                dialect: components["parameters"]["Dialect"];
                /**
                 * @description The id of a token in its dialect.
                 * @example 019ebc5a-0f80-7cc1-9a3e-6b0d8f1c2e47
                 */
                id: components["parameters"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token in its new state. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "dialect": "apitoken",
                     *       "id": "013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *       "name": null,
                     *       "token_scope": "account",
                     *       "status": "active",
                     *       "user_id": null,
                     *       "account_id": "013xrzp12g3nqk8ngskn1wtxgka5b0nf",
                     *       "environment_id": null,
                     *       "created_by_user_id": 1,
                     *       "suspended_by_admin": false,
                     *       "introspector": false,
                     *       "self_rotation": false,
                     *       "usable": true,
                     *       "because": null,
                     *       "key": null,
                     *       "created_at": "2026-11-01T08:00:00Z",
                     *       "updated_at": "2026-11-01T08:00:00Z",
                     *       "expires_at": "2027-11-01T08:00:00Z",
                     *       "last_used_at": null,
                     *       "rotated_at": null,
                     *       "previous_ends_at": null,
                     *       "previous_last_used_at": null
                     *     }
                     */
                    "application/json": components["schemas"]["ServiceToken"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listAuditEvents: {
        parameters: {
            query?: {
                /**
                 * @description The maximum number of entries in a page.
                 * @example 20
                 */
                limit?: components["parameters"]["Limit"];
                /** @description The next_cursor of the previous page; the first page if missing. */
                cursor?: components["parameters"]["Cursor"];
                /**
                 * @description Only events that this one has caused, such as user:1 or account:ID.
                 * @example user:1
                 */
                actor?: components["parameters"]["ActorFilter"];
                /**
                 * @description Only events about this object, such as token:muninx/ID, user:1, account:ID or environment:ID.
                 * @example user:1
                 */
                object?: components["parameters"]["ObjectFilter"];
                /**
                 * @description Only this action, such as token.revoke or credential.refused.
                 * @example token.revoke
                 */
                action?: components["parameters"]["ActionFilter"];
                /** @description Only tokens of this dialect. */
                dialect?: components["parameters"]["DialectFilter"];
                /**
                 * @description Only events at this time or later.
                 * @example 2026-11-01T08:00:00Z
                 */
                since?: components["parameters"]["SinceFilter"];
                /**
                 * @description Only events before this time.
                 * @example 2026-11-02T08:00:00Z
                 */
                until?: components["parameters"]["UntilFilter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "items": [
                     *         {
                     *           "id": 7,
                     *           "at": "2026-11-01T08:00:00Z",
                     *           "actor": "user:1",
                     *           "credential": "token:muninx/019300d1-1111-7222-8333-444455556666",
                     *           "action": "token.suspend",
                     *           "object": "token:apitoken/013xrzp12g3nqk8n7f8f9jbg8d18q7tm",
                     *           "dialect": "apitoken",
                     *           "address": "192.0.2.1",
                     *           "agent": "curl/8.9.1",
                     *           "request_id": "5d2f3f6e-9f8c-4b7f-8a53-0a8f5c1f7c11",
                     *           "before": {
                     *             "state": "active",
                     *             "suspended_by_admin": false
                     *           },
                     *           "after": {
                     *             "state": "suspended",
                     *             "suspended_by_admin": true
                     *           }
                     *         }
                     *       ],
                     *       "next_cursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["AuditEventList"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportAuditEvents: {
        parameters: {
            query?: {
                /**
                 * @description Only events after the one with this id.
                 * @example 1
                 */
                after?: components["parameters"]["AfterEvent"];
                /**
                 * @description Only events that this one has caused, such as user:1 or account:ID.
                 * @example user:1
                 */
                actor?: components["parameters"]["ActorFilter"];
                /**
                 * @description Only events about this object, such as token:muninx/ID, user:1, account:ID or environment:ID.
                 * @example user:1
                 */
                object?: components["parameters"]["ObjectFilter"];
                /**
                 * @description Only this action, such as token.revoke or credential.refused.
                 * @example token.revoke
                 */
                action?: components["parameters"]["ActionFilter"];
                /** @description Only tokens of this dialect. */
                dialect?: components["parameters"]["DialectFilter"];
                /**
                 * @description Only events at this time or later.
                 * @example 2026-11-01T08:00:00Z
                 */
                since?: components["parameters"]["SinceFilter"];
                /**
                 * @description Only events before this time.
                 * @example 2026-11-02T08:00:00Z
                 */
                until?: components["parameters"]["UntilFilter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /** @example {"action":"account.disable","actor":"user:1","address":"192.0.2.1","after":{"disabled":true},"agent":"","at":"2026-11-01T08:00:00.000Z","before":{"disabled":false},"credential":"token:muninx/019300d1-1111-7222-8333-444455556666","dialect":null,"id":7,"object":"account:013xrzp12g3nqk8ngskn1wtxgka5b0nf","request_id":"5d2f3f6e-9f8c-4b7f-8a53-0a8f5c1f7c11"} */
                    "application/x-ndjson": components["schemas"]["AuditExport"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getAuditCheckpoint: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The checkpoint. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "size": 8,
                     *       "checkpoint": "tokens.example/audit\n8\nZXhhbXBsZS1yb290LWhhc2gtb2YtYS1sb2ctZXZlbnQ=\n\n— tokens.example/audit c2lnbmF0dXJl\n",
                     *       "key": "tokens.example/audit+3f2a9c01+AYEZ2DPWmIZ0kMwkDlAUpTGxFaLPqULuuqzDJ8gAXmjl"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditCheckpoint"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    proveAuditEvent: {
        parameters: {
            query: {
                /**
                 * @description The id of the event.
                 * @example 1
                 */
                event: components["parameters"]["ProvenEvent"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The proof. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "event": 7,
                     *       "position": 1,
                     *       "leaf": "ZXhhbXBsZS1yb290LWhhc2gtb2YtYS1sb2ctZXZlbnQ=",
                     *       "hashes": [
                     *         "ZXhhbXBsZS1yb290LWhhc2gtb2YtYS1sb2ctZXZlbnQ="
                     *       ],
                     *       "size": 2,
                     *       "checkpoint": "tokens.example/audit\n2\nZXhhbXBsZS1yb290LWhhc2gtb2YtYS1sb2ctZXZlbnQ=\n\n— tokens.example/audit c2lnbmF0dXJl\n"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditInclusion"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    proveAuditLog: {
        parameters: {
            query: {
                /**
                 * @description The earlier size of the log.
                 * @example 1
                 */
                from: components["parameters"]["EarlierSize"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The proof. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "from": 1,
                     *       "hashes": [
                     *         "ZXhhbXBsZS1yb290LWhhc2gtb2YtYS1sb2ctZXZlbnQ="
                     *       ],
                     *       "size": 2,
                     *       "checkpoint": "tokens.example/audit\n2\nZXhhbXBsZS1yb290LWhhc2gtb2YtYS1sb2ctZXZlbnQ=\n\n— tokens.example/audit c2lnbmF0dXJl\n"
                     *     }
                     */
                    "application/json": components["schemas"]["AuditConsistency"];
                };
            };
            /** @description The body, the query or the path is invalid. */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The credential is missing or invalid. */
            401: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["Challenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller is not an admin. */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["ScopeChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The resource does not exist. */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The current state does not allow it. */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is larger than 64 KiB. */
            413: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The body is not JSON. */
            415: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The caller, or its address, has exceeded a limit. */
            429: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    RateLimit: components["headers"]["RateLimit"];
                    "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description An internal error of the server. */
            500: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The service is temporarily unavailable; retry later. */
            503: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Retry-After": components["headers"]["RetryAfter"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
