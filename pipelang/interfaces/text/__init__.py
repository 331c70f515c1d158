"""Layout of text: tables, colours and the format of numbers, shared by reports and exports."""
