-- Where the rows of one event table are that some events name. Grain: FileNumber, RowNumber.
-- Inputs: a relation of events by name, with EventTable, FileNumber and RowNumber; the table.
select
    FileNumber,
    RowNumber
from query_table(Events)
where EventTable = Wanted
