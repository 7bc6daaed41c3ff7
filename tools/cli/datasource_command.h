#pragma once

#include "tools/cli/datasource_arguments.h"
#include "tools/cli/program.h"

namespace sluice {

// `sluice datasource …`. Each prints to the program's descriptors and returns the exit code.

/// All entries as a table, or JSON; exit code 1 where one has errors, which go to standard error.
int datasource_list(const datasource_list_arguments& arguments, const program& parts);

/// Looks the secrets up and tries the connection; names the step that fails and what to do. 0 where all
/// passed (also with limits), 1 where one failed or the type cannot be tested yet, 2 where there is no such
/// entry.
int datasource_test(const datasource_test_arguments& arguments, const program& parts);

/// Adds one entry, asking at a terminal for what is missing. The file is replaced as a whole, mode 0600. 2
/// where the entry would be wrong; nothing is written then.
int datasource_add(const datasource_add_arguments& arguments, const program& parts);

/// Takes one entry out of the file, which stays as it is elsewhere, comments included; asks at a terminal
/// before. The file is replaced as a whole, mode 0600. 2 where it is not clear which entry is meant, there is
/// none, or nobody could be asked; 1 where the answer was no.
int datasource_remove(const datasource_remove_arguments& arguments, const program& parts);

}  // namespace sluice
