#include "plugins/sqlite/sqlite_url.h"

#include <array>

#include "jobspec/sqlite_url.h"

namespace sluice::sqlite {
namespace {

using use = relational::property_use;
using relational::property_word;
using relational::url_property;

constexpr auto on_off = std::to_array<property_word>({{"true", "ON"},
                                                      {"false", "OFF"},
                                                      {"on", "ON"},
                                                      {"off", "OFF"},
                                                      {"1", "ON"},
                                                      {"0", "OFF"},
                                                      {"yes", "ON"},
                                                      {"no", "OFF"}});
constexpr auto deletions = std::to_array<property_word>({{"true", "ON"},
                                                         {"false", "OFF"},
                                                         {"on", "ON"},
                                                         {"off", "OFF"},
                                                         {"1", "ON"},
                                                         {"0", "OFF"},
                                                         {"fast", "FAST"}});
constexpr auto only_off = std::to_array<property_word>({{"false", ""}, {"off", ""}, {"0", ""}, {"no", ""}});
constexpr auto open_modes =
    std::to_array<property_word>({{"ro", "read_only"}, {"rw", "existing"}, {"rwc", "any"}});
/// The sums of SQLITE_OPEN_READONLY (1), READWRITE (2), CREATE (4) and URI (64) that make sense.
constexpr auto open_flags = std::to_array<property_word>({{"1", "read_only"},
                                                          {"65", "read_only"},
                                                          {"2", "existing"},
                                                          {"66", "existing"},
                                                          {"6", "any"},
                                                          {"70", "any"}});
constexpr auto safe_syncs = std::to_array<property_word>({{"normal", "NORMAL"},
                                                          {"1", "NORMAL"},
                                                          {"full", "FULL"},
                                                          {"2", "FULL"},
                                                          {"extra", "EXTRA"},
                                                          {"3", "EXTRA"}});
constexpr auto safe_journals =
    std::to_array<property_word>({{"delete", ""}, {"truncate", ""}, {"persist", ""}, {"wal", ""}});
constexpr auto stores = std::to_array<property_word>({{"default", "DEFAULT"},
                                                      {"0", "DEFAULT"},
                                                      {"file", "FILE"},
                                                      {"1", "FILE"},
                                                      {"memory", "MEMORY"},
                                                      {"2", "MEMORY"}});
constexpr auto only_normal = std::to_array<property_word>({{"normal", ""}});
constexpr auto only_text = std::to_array<property_word>({{"text", ""}});
constexpr auto iso_formats = std::to_array<property_word>(
    {{"yyyy-mm-dd hh:mm:ss.sss", ""}, {"yyyy-mm-dd hh:mm:ss", ""}, {"yyyy-mm-dd", ""}});
constexpr auto only_utf8 = std::to_array<property_word>({{"utf8", ""}, {"utf-8", ""}, {"utf_8", ""}});
constexpr auto only_unix = std::to_array<property_word>({{"unix", ""}});

constexpr std::string_view encrypted =
    "encrypted files are not read or written; decrypt it into a file of its own and name that";
constexpr std::string_view numbers_for_dates =
    "a column holds what it holds: numbers are read as numbers, and dates are written as ISO 8601 text; read "
    "datetime(COLUMN, 'unixepoch'), of milliseconds datetime(COLUMN / 1000, 'unixepoch')";
constexpr std::string_view in_header =
    "it would change the file for all who use it; set it with a PRAGMA statement in \"postSql\"";

/// A property without a reason changes only how the driver itself works, or is the engine's own to decide.
constexpr auto properties = std::to_array<url_property>({
    // How the file is opened: readers never write it.
    {"mode", use::file_access, "", "", open_modes},
    {"open_mode", use::file_access, "", "", open_flags},
    {"immutable", use::harmless,
     "SQLite would neither lock the file nor see that it changes, and give wrong rows without a word; copy a "
     "file that cannot be locked, and name the copy",
     "", only_off},
    {"nolock", use::harmless,
     "without locks two that write break the file, and who reads sees half a transaction; copy a file that "
     "cannot be locked, and name the copy",
     "", only_off},
    {"vfs", use::harmless, "files are those of the system, with its own locks; take it out", "", only_unix},
    {"psow", use::harmless},
    {"modeof", use::refused,
     "the permissions of a file that is made are those of the process; set its umask"},
    {"cache", use::harmless},
    {"shared_cache", use::harmless},
    {"read_uncommitted", use::harmless},
    {"read_uncommited", use::harmless},  // as older drivers spell it
    {"locking_mode", use::harmless,
     "a run has several connections to the file, which would lock each other out; take it out", "",
     only_normal},
    {"transaction_mode", use::harmless},
    {"jdbc.explicit_readonly", use::harmless},
    {"password", use::refused, encrypted},
    {"key", use::refused, encrypted},
    {"hexkey", use::refused, encrypted},
    {"textkey", use::refused, encrypted},
    {"hexkey_mode", use::refused, encrypted},
    {"cipher", use::refused, encrypted},
    // Waits, and what lasts.
    {"busy_timeout", use::option_ms, "", "busyTimeout"},
    {"journal_mode", use::harmless,
     "without a journal in the file system a crash leaves the file broken; the file keeps the journal that "
     "it "
     "has, take it out",
     "", safe_journals},
    {"journal_size_limit", use::harmless},
    {"synchronous", use::setting,
     "a power failure could break the file; a job that bears it says so with \"session\": [\"PRAGMA "
     "synchronous = OFF\"]",
     "synchronous", safe_syncs},
    {"fullsync", use::harmless},
    {"checkpoint_fullfsync", use::harmless},
    // What statements do.
    {"foreign_keys", use::setting, "", "foreign_keys", on_off},
    {"defer_foreign_keys", use::harmless,
     "what breaks a foreign key would show at the end of a transaction, where no record can be blamed; take "
     "it out",
     "", only_off},
    {"recursive_triggers", use::setting, "", "recursive_triggers", on_off},
    {"case_sensitive_like", use::setting, "", "case_sensitive_like", on_off},
    {"secure_delete", use::setting, "", "secure_delete", deletions},
    {"legacy_alter_table", use::harmless,
     "ALTER TABLE in preSql and postSql also changes what refers to the table; take it out", "", only_off},
    {"enable_load_extension", use::harmless,
     "code of others is not loaded into a run; write statements without the functions of extensions", "",
     only_off},
    {"reverse_unordered_selects", use::harmless},
    // Memory and room.
    {"cache_size", use::setting_number, "", "cache_size"},
    {"cache_spill", use::setting, "", "cache_spill", on_off},
    {"mmap_size", use::setting_number, "", "mmap_size"},
    {"max_page_count", use::setting_number, "", "max_page_count"},
    {"temp_store", use::setting, "", "temp_store", stores},
    {"threads", use::setting_number, "", "threads"},
    {"temp_store_directory", use::refused, "set the environment variable SQLITE_TMPDIR"},
    {"page_size", use::harmless},
    {"default_cache_size", use::refused, "it would change the file for all who use it; use cache_size"},
    {"incremental_vacuum", use::refused, in_header},
    {"user_version", use::refused, in_header},
    {"application_id", use::refused, in_header},
    {"encoding", use::harmless,
     "a file that is made holds UTF-8, and one that exists keeps what it has; take it out", "", only_utf8},
    {"legacy_file_format", use::harmless},
    // How the driver turns dates into numbers or texts.
    {"date_class", use::harmless, numbers_for_dates, "", only_text},
    {"date_precision", use::refused, numbers_for_dates},
    {"date_string_format", use::harmless,
     "texts are read as they are, and dates are written as ISO 8601 text; take it out, and shape them by an "
     "expression such as strftime",
     "", iso_formats},
    // How the driver hands out results.
    {"jdbc.get_generated_keys", use::harmless},
    {"count_changes", use::harmless},
    {"empty_result_callback", use::harmless},
    {"empty_result_callbacks", use::harmless},
    {"full_column_names", use::harmless},
    {"short_column_names", use::harmless},
    {"limit_length", use::harmless},
    {"limit_sql_length", use::harmless},
    {"limit_column", use::harmless},
    {"limit_expr_depth", use::harmless},
    {"limit_compound_select", use::harmless},
    {"limit_vdbe_op", use::harmless},
    {"limit_function_arg", use::harmless},
    {"limit_attached", use::harmless},
    {"limit_like_pattern_length", use::harmless},
    {"limit_variable_number", use::harmless},
    {"limit_trigger_depth", use::harmless},
    {"limit_worker_threads", use::harmless},
    {"limit_page_count", use::harmless},
});

}  // namespace

const relational::url_dialect& url_dialect() {
  static const relational::url_dialect dialect = {
      .product = "SQLite",
      .grammar = {.schemes = {{.prefix = sqlite_url_prefix, .file = true, .plus_is_blank = false}},
                  .forms = {}},
      .properties = properties};
  return dialect;
}

}  // namespace sluice::sqlite
