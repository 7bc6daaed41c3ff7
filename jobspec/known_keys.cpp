#include "jobspec/known_keys.h"

#include <algorithm>
#include <array>

#include "jobspec/words.h"

namespace sluice {
namespace {

// Keys without a meaning for a run on whatever level: job-formats 1.4 to 1.6, and 6.1 and 6.2 for DataX.
// `$schema` is how an editor is told which JSON Schema to complete with.
constexpr auto noise_keys = std::to_array<std::string_view>({
    "$schema",
    "columnMapping",
    "comment",
    "copies",
    "description",
    "displayName",
    "enableJsonPrintNull",
    "entry",
    "envType",
    "extend",
    "failoverEnable",
    "fieldDelimiterOrigin",
    "guid",
    "indexes",
    "isCompress",
    "isSupportThreeModel",
    "jobInfo",
    "jvmMemory",
    "jvmOption",
    "locale",
    "objectIdOutputType",
    "selectedDatabase",
    "socketTimeout",
    "tableComment",
    "tableType",
    "transform",
    "tunnelQuota",
    "useSpecialSecret",
    "useSplitVector",
});

// Where a blank is what the user wants. The plugins' descriptions say so for options of their own; these are
// the ones that no plugin may forget.
constexpr auto blank_values = std::to_array<std::string_view>({
    "nullFormat",
    "quoteChar",
    "suffix",
});

/// A key that many plugins have, and what it does there.
struct shared_key {
  std::string_view key;
  std::string_view purpose;
};

constexpr auto shared_keys = std::to_array<shared_key>({
    {"splitPk", "splits a table by ranges of a key"},
    {"splitMode", "says how a key is split"},
    {"splitFactor", "multiplies the splits of a table"},
    {"where", "filters the rows of a table"},
    {"querySql", "reads a query in place of a table"},
    {"table", "names the table of a database"},
    {"fetchSize", "sizes the fetches of a database"},
    {"batchSize", "sizes the batches of a database"},
    {"batchByteSize", "sizes the batches of a database"},
    {"preSql", "runs statements before the data"},
    {"postSql", "runs statements after the data"},
    {"session", "sets up the connections of a database"},
    {"writeMode", "says how rows are written"},
    {"updateColumn",
     "names the columns that \"writeMode\": \"update\" sets (mysql), which are all that are mapped without "
     "it"},
    {"nullMode", "says what becomes of NULL (mysql), which is written without it"},
    {"skipNullColumn", "names the columns whose NULLs are left out (mysql)"},
    {"uniqueIndexColumns", "names the key by which rows are found (postgresql)"},
    {"path", "names files"},
    {"object", "names objects of a store"},
    {"fileFormat", "says how files are written"},
    {"fieldDelimiter", "separates the fields of text files"},
    {"nullFormat", "is the text of NULL in files"},
    {"skipHeader", "skips the first line of files"},
    {"partition", "names a partition of a table"},
});

// Options, in small letters, that change how fast or under which account data move, or what is done once all
// have arrived, but not which.
constexpr auto no_data_options = std::to_array<std::string_view>({
    "sockettimeout",
    "busytimeout",
    "connecttimeout",
    "timeout",
    "fetchsize",
    "batchsize",
    "batchbytesize",
    "splitfactor",
    "buffersize",
    "maxretrytime",
    "retryinterval",
    "recordnumbeforesleep",
    "sleeptime",
    "snapshotmax",
    "postsql",
    "username",
    "user",
});

template <class Names>
bool has_word(const Names& names, std::string_view word) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

}  // namespace

bool is_noise_key(std::string_view key) {
  // Keys that begin so are comments by custom.
  return key.starts_with('_') || key.starts_with('#') || key.starts_with("//") || has_word(noise_keys, key);
}

bool is_blank_value_key(std::string_view key) {
  return has_word(blank_values, key);
}

std::string_view purpose_elsewhere(std::string_view key) {
  for (const shared_key& shared : shared_keys) {
    if (shared.key == key) {
      return shared.purpose;
    }
  }
  return {};
}

bool is_no_data_option(std::string_view key) {
  return has_word(no_data_options, lower(key));
}

}  // namespace sluice
