/* near: which field was meant by a name that is none, for messages. */
#pragma once

/* The column nearest to `word` by edit distance; NULL when none is near. */
const char *field_near(const char *word);
