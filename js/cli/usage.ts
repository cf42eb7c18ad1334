// How each command is called.

export const USAGE = `usage: countersign keys                 print a new key ring (keep it secret, and out of the database)
       countersign keys restored < keys.json
                                        print the same ring in a new restore epoch: after the database was
                                        restored from a backup, all processes start with it
       countersign restored --config FILE --events FILE --since TIME --operator NAME
                                        reset the users whose factors changed after the backup, by the audit log:
                                        a file with one event of \`onEvent\` in each line. TIME is the time of the
                                        backup, such as 2026-11-28T04:00:00Z
       countersign list --config FILE [--account ID]
                                        print the users who have a record, one in each line: account, user, factors,
                                        backup codes left, state; with a tab between them
       countersign delete --config FILE --user ID [--account ID] --operator NAME
                                        erase a user who leaves
       countersign jwks < keys.json     print its public keys, as \`jwks\` of the filter for Envoy
       countersign recovery issue --config FILE --user ID [--account ID] --operator NAME
       countersign recovery reset --config FILE --user ID [--account ID] --operator NAME
       countersign recovery withdraw --config FILE --user ID [--account ID] --operator NAME
                                        issue a recovery code; reset the user and issue one; withdraw it.
                                        FILE is a module whose default export is the object that
                                        createSecondFactor is given, or a function that gives it
       countersign import --from FORMAT --config FILE [--write --operator NAME] SOURCE…
                                        bring the users of another system along with their authenticator apps: a dry
                                        run, unless --write is given. FORMAT is csv, json, otpauth,
                                        google-authenticator, better-auth, keycloak, kratos, authelia, pskc, freeotp or
                                        countersign. SOURCE is a file, - for what is piped in, or, from better-auth, a
                                        database: sqlite:FILE, or env:NAME with its address in the variable NAME
           --account ID                 the account of users whose row names none
           --users FILE                 CSV that maps ids of the other system to yours: from,user,account
           --column FIELD=NAME          the column of a field: user, secret, account, digits, period, algorithm,
                                        lastStep or name. For servers, \`user\` names the field that is the id
           --encoding base32|hex|ascii|otpauth
                                        of the secrets in csv and json; base32 without it
           --digits N --period SECONDS --algorithm NAME
                                        of all apps, where no row says it: 6, 30, SHA1
           --issuer NAME                only apps of this service
           --table NAME                 of better-auth's database; twoFactor without it
           --replace                    in the place of apps that the users have here
           --report FILE                write what became of each row, as JSON lines
                                        Keys come from the environment: BETTER_AUTH_SECRET, BETTER_AUTH_SECRETS,
                                        PSKC_KEY (hex), PSKC_PASSPHRASE. It ends with 3 where a row was refused
       countersign export --config FILE --to age1… [--to …] --out FILE --operator NAME [--account ID]
                                        write the secrets of all apps into a new file, encrypted to a key of age
       countersign --help               print this`
