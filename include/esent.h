/* SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>
