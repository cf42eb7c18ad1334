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
       countersign --help               print this`
